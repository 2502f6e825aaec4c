"""``data=csv``: your own table, delimited."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from espalier.core.tabular import Table, read_table
from espalier.data.files import FileData, Files
from espalier.data.text_table import Reading


class Csv(FileData):
    """Delimited files of texts and labels, quoted or not, gzipped or not.

    ``espalier train data=csv data.path=my.csv data.columns.text=review data.columns.label=stars``

    Args:
        encoding: of the files, a name that Python knows.
        delimiter: one character, or None: by a file's ending or header.
    """

    def __init__(self, *, encoding: str, delimiter: str | None, **files: Unpack[Files]) -> None:
        super().__init__(**files)
        self.encoding, self.delimiter = encoding, delimiter

    def table(self, path: Path, reading: Reading, /) -> Table:
        """One file; see ``core.tabular.read_table``."""
        return read_table(path, self.encoding, self.delimiter, names=reading.names)
