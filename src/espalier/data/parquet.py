"""``data=parquet``: your own table in parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Unpack

from espalier.core.parquet import ParquetTable, read_parquet
from espalier.data.files import FileData, Files
from espalier.data.text_table import Reading


class Parquet(FileData):
    """Parquet files, of which only the columns that are named are read; a list of labels means any number a row.

    ``espalier train data=parquet 'data.path=shards/*.parquet' data.columns.text=review data.columns.label=stars``
    """

    format: ClassVar[str] = "parquet"
    unit: ClassVar[str] = "row"

    def __init__(self, **files: Unpack[Files]) -> None:
        super().__init__(**files)

    def table(self, path: Path, reading: Reading, /) -> ParquetTable:
        """One file; see ``core.parquet.read_parquet``."""
        return read_parquet(path, reading.names)
