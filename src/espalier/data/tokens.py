"""``data=tokens``: your own texts as words with a tag each, in JSON lines or parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, Keys
from espalier.core.errors import DataError, Fault
from espalier.core.globs import expand
from espalier.data.common import Common
from espalier.data.files import Paths
from espalier.data.tagged import Files, TaggedData


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
        self.paths = {"path": path, "validation_path": validation_path, "test_path": test_path}

    def files(self) -> tuple[Files, str]:
        """As the paths say."""
        found: dict[str, list[Path]] = {}
        for key, paths in self.paths.items():
            if paths is None:
                continue
            split = key.removesuffix("_path") if key != "path" else "train"
            found[split] = expand(paths)
            if not found[split]:
                raise DataError(Fault(f"data.{key}={paths}", f"matches no file (looked from {Path.cwd()})."))
        first, *others = found["train"]
        return found, f"{first} and {len(others)} more" if others else str(first)
