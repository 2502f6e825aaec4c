"""``data=tokens``: your own texts as words with a tag each, in JSON lines or parquet."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, Keys
from espalier.data.common import Common
from espalier.data.paths import Files, Paths, files_of
from espalier.data.tagged import TaggedData


class Tokens(TaggedData):
    """Rows of words (a list of texts) and of their tags (``O``, ``B-<type>``, ``I-<type>``).

    ``espalier train data=tokens data.path=entities.jsonl data.columns.words=tokens data.columns.tags=ner_tags``

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own. Files whose name ends with ``.parquet`` are read as such, others as JSON lines.
        columns: role -> column.
        slices: columns by which results are told apart.
        on_null: what to do with rows without words; ``drop`` counts them.

    Raises:
        DataError: when read; see ``data.tagged.read_tagged``.
    """

    format: ClassVar[str] = "jsonl or parquet"

    def __init__(
        self,
        *,
        path: Paths,
        validation_path: Paths | None,
        test_path: Paths | None,
        columns: Annotated[dict[str, str], Keys(("words", "tags")), ColumnsOf("path")],
        slices: Annotated[list[str], ColumnsOf("path")],
        on_null: Literal["error", "drop"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, slices=slices, on_null=on_null, **common)
        self.paths = {"train": path, "validation": validation_path, "test": test_path}

    def files(self) -> tuple[Files, str]:
        """As the paths say."""
        return files_of(self.paths)
