"""``data=text_file``: plain text of your own, for a model that learns to go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from espalier.core.encodings import decoded
from espalier.core.formats import read_bytes
from espalier.data.common import Common, Source
from espalier.data.passages import PassageData
from espalier.data.paths import Paths, files_of


class TextFile(PassageData):
    """Text files, gzipped or not; each is a document of its own, in blocks of which no token of another one stands.

    ``espalier train data=text_file data.path=book.txt model=gpt adapter=full``

    Args:
        path: a file, a list of files, or a pattern. Validation and test text are cut from the end where they have no
            files of their own, by ``split`` as shares of the characters.
        encoding: of the files, a name that Python knows.

    Raises:
        DataError: when read; a pattern without a file, bytes that are not in ``encoding``, a split without text.
    """

    def __init__(
        self, *, path: Paths, validation_path: Paths | None, test_path: Paths | None, encoding: str,
        **common: Unpack[Common],
    ) -> None:  # fmt: skip
        super().__init__(columns={}, **common)
        self.paths = {"train": path, "validation": validation_path, "test": test_path}
        self.encoding = encoding

    def tables(self) -> Source:
        """Read the files."""
        files, origin = files_of(self.paths)
        documents = {split: [read_text(path, self.encoding) for path in paths] for split, paths in files.items()}
        return self.source(documents, origin)


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """A file's text, its lines ended by a line feed alone. Raises ``DataError``."""
    return decoded(read_bytes(path), str(path), encoding).replace("\r\n", "\n").replace("\r", "\n")
