"""Tables of any length, written chunk by chunk with columns added; a file is there when it is whole, or not at all."""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.chunks import STREAM, Chunk, Format
from espalier.core.errors import DataError, Fault
from espalier.core.files import sync_file, sync_folder

Added = Mapping[str, pa.Array]
Write = Callable[[Chunk, Added], None]


@contextmanager
def sink(path: str, kind: Format) -> Iterator[Write]:
    """``write(chunk, added)``: a chunk's rows and columns, and behind them others: name -> values.

    What was written stands under its name when the block ends; if it ends with an error, nothing does, and what stood
    there before stays.

    Args:
        path: of a file, gzipped where its name ends in ``.gz``; or ``-``: standard output.

    Raises:
        DataError: a later chunk has columns or types that the first one has not, and the format needs the same in all.
    """
    if path == STREAM:
        yield _text(sys.stdout, kind)
        sys.stdout.flush()
        return
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if kind == "parquet":
            with _parquet(temporary) as write:
                yield write
        else:
            with _opened(temporary, gzipped=path.endswith(".gz")) as file:
                yield _text(file, kind)
        sync_file(temporary)
        temporary.replace(target)
        sync_folder(target.absolute().parent)
    except OSError as error:
        if error.filename in (None, str(temporary)):  # a full disk has no name
            raise OSError(error.errno, error.strerror, path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _opened(path: Path, *, gzipped: bool) -> IO[str]:
    if gzipped:
        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


def _text(file: IO[str], kind: Format) -> Write:
    return _jsonl(file) if kind == "jsonl" else _delimited(file, "\t" if kind == "tsv" else None)


def _jsonl(file: IO[str]) -> Write:
    def write(chunk: Chunk, added: Added) -> None:
        for row, more in zip(chunk.rows, _rows(added), strict=True):
            file.write(json.dumps({**row, **more}, ensure_ascii=False, default=str) + "\n")

    return write


def _delimited(file: IO[str], separator: str | None) -> Write:
    """Fields stand apart by ``separator``; None: as in the file that was read."""
    writers: list[Any] = []
    header: list[str] = []

    def write(chunk: Chunk, added: Added) -> None:
        if not writers:
            between = separator or str(getattr(chunk, "separator", ","))
            # The second one quotes all: Python's writer leaves a carriage return bare, where readers see a line's end.
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
                writers.append(csv.writer(file, delimiter=between, lineterminator="\n", quoting=quoting))
            header.extend([*chunk.header, *added])
            writers[_is_several_lines(header)].writerow(header)
        _require_known(chunk, header)
        for row, more in zip(chunk.rows, _rows(added), strict=True):
            whole = {**row, **more}
            fields = [_field(whole.get(name)) for name in header]
            writers[_is_several_lines(fields)].writerow(fields)

    return write


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    writers: list[pq.ParquetWriter] = []

    def write(chunk: Chunk, added: Added) -> None:
        said = "is unlike the rows before it" if writers else "cannot stand in parquet"
        try:
            table = chunk.table()
            table = pa.table({**dict(zip(table.column_names, table.columns, strict=True)), **added})
            if not writers:
                writers.append(pq.ParquetWriter(path, table.schema))
            _require_known(chunk, writers[0].schema.names)
            writers[0].write_table(table.select(writers[0].schema.names).cast(writers[0].schema))
        except (pa.ArrowException, ValueError, KeyError, OverflowError) as error:
            raise _late(chunk, f"{said}: {str(error).splitlines()[0].rstrip('.')}") from None

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()


def _rows(columns: Added) -> Iterator[dict[str, Any]]:
    values = (column.to_pylist() for column in columns.values())
    return (dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True))


def _is_several_lines(fields: Sequence[Any]) -> bool:
    return any(isinstance(field, str) and "\r" in field for field in fields)


def _field(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else value


def _require_known(chunk: Chunk, names: Sequence[str]) -> None:
    if strange := [name for name in chunk.header if name not in names]:
        raise _late(chunk, f"has a key that earlier ones lack: {strange[0]!r}")


def _late(chunk: Chunk, truth: str) -> DataError:
    where = f"{chunk.unit} {chunk.numbers[0]} to {chunk.numbers[-1]}"
    return DataError(Fault(where, f"{truth}.", "Write JSON lines, which take any row:  output=….jsonl"))
