"""Parquet files, of which only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.errors import DataError, Fault
from espalier.core.formats import require_format

UNREADABLE: tuple[type[Exception], ...] = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What pyarrow raises of a file that is none, or holds names and texts that are no UTF-8."""

_LOOKED_AT = 1000  # rows that tell what a column holds before the whole is read
_FEW = 2**20  # rows that may be as equal as they like
_BATCH, _HARMLESS, _RATIO = 2**14, 2**28, 100  # rows; bytes; a few equal values are kept once, and repeated without end


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
        rows = [row for batch in islice(file.iter_batches(batch_size=1), 1) for row in batch.to_pylist()]
    except UNREADABLE as error:
        raise damaged(path, error) from None
    return rows[0] if rows else dict.fromkeys(file.schema_arrow.names)


def peek_values(path: Path, name: str) -> list[Any]:
    """A column's values on the first thousand rows. Raises ``DataError``: see ``read_parquet``."""
    file = _opened(path)
    try:
        batch = next(file.iter_batches(batch_size=_LOOKED_AT, columns=[name]), None)
        return batch.column(0).to_pylist() if batch is not None and batch.num_columns else []
    except UNREADABLE as error:
        raise damaged(path, error) from None


def read_parquet(path: Path, names: Iterable[str]) -> ParquetTable:
    """Those of the named columns that the file has.

    Raises:
        DataError: not there, another format, cut off or damaged, no rows, more of them than it has bytes, two columns
            of a name that is asked for.
    """
    file = _opened(path)
    header = tuple(file.schema_arrow.names)
    if not file.metadata.num_rows:
        raise DataError(Fault(str(path), "has no rows.", "Give a file with data in it."))
    packed, rows = path.stat().st_size, file.metadata.num_rows
    if rows > max(_FEW, packed):
        truth = f"has {packed:,} bytes and {rows:,} rows: nearly all of them are the same."
        raise DataError(Fault(str(path), truth, "Ask whoever made it for fewer rows."))
    chosen = [name for name in dict.fromkeys(names) if name in header]
    require_single(path, header, chosen)
    if not chosen:
        return ParquetTable(header, file.read([]), range(file.metadata.num_rows))
    try:
        batches = list(_batches(file, chosen, path))
        if (held := sum(map(len, batches))) != rows:
            raise pa.ArrowInvalid(f"it says {rows:,} rows and holds {held:,}")
        table = pa.Table.from_batches(batches)
        table.validate(full=True)
    except UNREADABLE as error:
        raise damaged(path, error) from None
    return ParquetTable(header, table, range(file.metadata.num_rows))


def _batches(file: pq.ParquetFile, names: list[str], path: Path) -> Iterator[pa.RecordBatch]:
    """Some columns; of a file in which a few bytes stand for many rows only the beginning."""
    packed, unpacked = path.stat().st_size, 0
    for batch in file.iter_batches(_BATCH, columns=names):
        unpacked += batch.nbytes
        if unpacked > max(_HARMLESS, _RATIO * packed):
            truth = f"has {packed:,} bytes and unpacks to more than {unpacked / 1e6:,.0f} MB: no table does."
            raise DataError(Fault(str(path), truth, "Ask whoever made it for fewer rows."))
        yield batch


def require_single(path: Path, header: Sequence[str], names: Iterable[str]) -> None:
    """Refuse a name that two columns of a file have. Raises ``DataError``."""
    if (doubled := next((name for name in names if header.count(name) > 1), None)) is not None:
        raise DataError(Fault(str(path), f"has the column {doubled!r} more than once.", "Rename one of them."))


def _opened(path: Path) -> pq.ParquetFile:
    require_format(path, "parquet")
    try:
        return pq.ParquetFile(path)
    except UNREADABLE as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> DataError:
    """What to say of one of ``UNREADABLE``."""
    said = str(error).splitlines()[0].rstrip(".")
    return DataError(Fault(str(path), f"is cut off or damaged: {said}.", "Fetch or export the file again."))
