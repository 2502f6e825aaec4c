"""Parquet files, of which only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.errors import DataError, Fault
from espalier.core.formats import require_format


@dataclass(frozen=True)
class ParquetTable:
    """Some columns of a file; ``header`` has the names of all, ``numbers`` counts rows from 0."""

    header: tuple[str, ...]
    table: pa.Table
    numbers: Sequence[int]

    def column(self, name: str) -> list[Any]:
        """One column's values."""
        values: list[Any] = self.table[name].to_pylist()
        return values


def peek_parquet(path: Path) -> dict[str, Any]:
    """Column -> its value in the first row. Raises ``DataError``: see ``read_parquet``."""
    file = _opened(path)
    try:
        rows = next(file.iter_batches(batch_size=1)).to_pylist() if file.metadata.num_rows else []
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    return rows[0] if rows else dict.fromkeys(file.schema_arrow.names)


def read_parquet(path: Path, names: Iterable[str]) -> ParquetTable:
    """Those of the named columns that the file has.

    Raises:
        DataError: not there, another format, cut off or damaged, no rows.
    """
    file = _opened(path)
    header = tuple(file.schema_arrow.names)
    try:
        table = file.read([name for name in dict.fromkeys(names) if name in header])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    if not file.metadata.num_rows:
        raise DataError(Fault(str(path), "has no rows.", "Give a file with data in it."))
    return ParquetTable(header, table, range(file.metadata.num_rows))


def _opened(path: Path) -> pq.ParquetFile:
    require_format(path, "parquet")
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    said = str(error).splitlines()[0].rstrip(".")
    return DataError(Fault(str(path), f"is cut off or damaged: {said}.", "Fetch or export the file again."))
