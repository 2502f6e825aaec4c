"""``data=csv``: your own table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, FileExists, Keys
from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData
from espalier.data.text_table import read_text_files


class Csv(TableData):
    """A delimited file of texts and labels.

    ``espalier train data=csv data.path=my.csv data.columns.text=review data.columns.label=stars``

    Args:
        path: the file; validation and test rows are cut from it where they have no file of their own.
        encoding: of the file, a name that Python knows.
        delimiter: one character, or None: by the file's ending or header.
        on_null: what to do with rows whose text or label is empty; ``drop`` counts them.

    Raises:
        DataError: when read; see ``core.tabular.read_table`` and ``TableData.read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

    def __init__(
        self,
        *,
        path: Annotated[str, FileExists()],
        validation_path: Annotated[str, FileExists()] | None,
        test_path: Annotated[str, FileExists()] | None,
        columns: Annotated[dict[str, str], Keys(("text", "label")), ColumnsOf("path")],
        encoding: str,
        delimiter: str | None,
        on_null: Literal["error", "drop"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        named = {"train": path, "validation": validation_path, "test": test_path}
        self.files = {split: Path(name).expanduser() for split, name in named.items() if name is not None}
        self.encoding, self.delimiter, self.on_null = encoding, delimiter, on_null

    def tables(self) -> Source:
        """Read the files."""
        return read_text_files(
            self.files,
            self.columns,
            encoding=self.encoding,
            delimiter=self.delimiter,
            on_null=self.on_null,
            origin=str(self.files["train"]),
        )
