"""``data=pairs``: your own pairs of texts: one that is read, one that is to be written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Unpack

from espalier.core.bounds import ColumnsOf, Keys
from espalier.core.facts import Kind
from espalier.core.formats import format_of
from espalier.core.jsonl import read_records
from espalier.core.parquet import read_parquet
from espalier.core.tabular import read_table
from espalier.data.common import Common, Source, TableData
from espalier.data.paths import Paths, files_of
from espalier.data.text_table import Reading, Split, Tabular, add, source_of


class Pairs(TableData):
    """Rows of two texts, in delimited tables, JSON lines or parquet, gzipped or not.

    ``espalier train data=pairs data.path=pairs.csv data.columns.source=en data.columns.target=de
    model=encoder_decoder adapter=full``

    Args:
        path: a file, a list of files, or a pattern; validation and test rows are cut from them where they have no
            files of their own.
        columns: role -> column.
        encoding: of delimited files, a name that Python knows.
        delimiter: of those, one character, or None: by a file's ending or header.
        slices: columns by which results are told apart.
        on_null: what to do with rows that lack a text on either side; ``drop`` counts them.

    Raises:
        DataError: when read; see ``data.text_table.add`` and ``TableData.read``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"source": "text", "target": "target"}
    labelled: ClassVar[bool] = False
    format: ClassVar[str] = "any"

    def __init__(
        self,
        *,
        path: Paths,
        validation_path: Paths | None,
        test_path: Paths | None,
        columns: Annotated[dict[str, str], Keys(("source", "target")), ColumnsOf("path")],
        encoding: str,
        delimiter: str | None,
        slices: Annotated[list[str], ColumnsOf("path")],
        on_null: Literal["error", "drop"],
        **common: Unpack[Common],
    ) -> None:
        super().__init__(columns=columns, **common)
        self.paths = {"train": path, "validation": validation_path, "test": test_path}
        self.encoding, self.delimiter, self.slices, self.on_null = encoding, delimiter, slices, on_null

    def tables(self) -> Source:
        """Read the files."""
        files, origin = files_of(self.paths)
        splits: dict[str, Split] = {}
        reading = self._reading("line")
        for split, paths in files.items():
            splits[split] = Split({})
            for file in paths:
                table, unit = self._table(file)
                reading = self._reading(unit)
                add(splits[split], table, reading, str(file))
        return source_of(splits, reading, origin)

    def _table(self, file: Path) -> tuple[Tabular, str]:
        """A file's columns, and what a row of it is called."""
        holds = format_of(file)
        names = self._reading("row").names
        if holds == "parquet":
            return read_parquet(file, names), "row"
        if holds == "jsonl":
            return read_records(file), "line"
        return read_table(file, self.encoding, self.delimiter, names=names), "line"

    def _reading(self, unit: str) -> Reading:
        return Reading(self.columns, self.slices, None, self.on_null, unit)
