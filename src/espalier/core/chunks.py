"""Tables of any length, read a few thousand rows at a time: csv, tsv, JSON lines, parquet. All columns are kept."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from espalier.core.encodings import MARK, codec_of
from espalier.core.errors import DataError, Fault, UserError
from espalier.core.formats import DAMAGED, open_bytes, open_text, require_format
from espalier.core.jsonl import objects
from espalier.core.parquet import UNREADABLE, damaged, require_single
from espalier.core.tabular import delimiter_of, is_quoted, sniff_delimiter

Format = Literal["csv", "tsv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "tsv", "jsonl", "parquet")
STREAM = "-"
_ENDINGS: Mapping[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip
_HEAD = 100  # lines that tell how a table is written
_LOOKED_AT = 4096  # JSON lines that tell its columns


@dataclass(frozen=True)
class Records:
    """Rows as mappings; ``numbers`` are those of their lines, ``separator`` is that of a csv file."""

    header: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    numbers: Sequence[int]
    unit: str = "line"
    separator: str = ","

    def column(self, name: str) -> list[Any]:
        """One column's values; None where a row has none."""
        return [row.get(name) for row in self.rows]

    def table(self) -> pa.Table:
        """The same as a table, types as the values suggest. Raises what Arrow does of values that share no type."""
        return pa.table({name: self.column(name) for name in self.header})


@dataclass(frozen=True)
class Columns:
    """Rows of a parquet file; ``numbers`` count from 0."""

    whole: pa.Table
    numbers: Sequence[int]
    unit: str = "row"

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.whole.column_names)

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """As mappings."""
        return list(self.whole.to_pylist())

    def column(self, name: str) -> list[Any]:
        """One column's values."""
        return list(self.whole[name].to_pylist())

    def table(self) -> pa.Table:
        """As it was read."""
        return self.whole


Chunk = Records | Columns


def format_of(key: str, path: str, given: str | None) -> Format:
    """By a file's ending (``.gz`` after it is passed over), or as ``format=`` says for the standard streams.

    Args:
        key: what the user set the path by, for the fault.

    Raises:
        UserError: an unknown ending, or a stream without a format.
    """
    if path != STREAM:
        found = _ENDINGS.get(Path(path.removesuffix(".gz")).suffix.lower())
        if found == "parquet" and path.endswith(".gz"):
            truth = "is compressed as a whole, and parquet is within."
            raise UserError(Fault(f"{key}={path}", truth, "Let it be .parquet (gunzip)."))
        if found is None:
            known = ", ".join(_ENDINGS)
            raise UserError(Fault(f"{key}={path}", "is of no known kind.", f"Let its name end with one of: {known}"))
        return found
    if given not in ("csv", "tsv", "jsonl"):
        truth = (
            "is a stream of which nobody knows the format." if given is None else "is a stream of csv, tsv or jsonl."
        )
        raise UserError(Fault(f"{key}={path}", truth, "Add  format=csv, format=tsv or format=jsonl"))
    return given  # type: ignore[return-value]


def header_of(path: Path, kind: Format, encoding: str, delimiter: str | None = None) -> tuple[str, ...]:
    """The columns of a file; of JSON lines, the keys of its first rows. Raises ``DataError``: see ``read_chunks``."""
    return next(iter(read_chunks(str(path), kind, _LOOKED_AT if kind == "jsonl" else 1, encoding, delimiter))).header


def read_chunks(
    path: str, kind: Format, size: int, encoding: str = "utf-8", delimiter: str | None = None
) -> Iterator[Chunk]:
    """A table's rows in their order.

    Args:
        path: of a file, gzipped or not, or ``-``: standard input.
        size: rows of a chunk.
        encoding: of delimited files; JSON is UTF-8.
        delimiter: between the fields of a csv file; None: as its header suggests.

    Raises:
        DataError: not there, no rows, another encoding, a broken row (with its line).
    """
    if kind == "parquet":
        yield from _parquet(Path(path), size)
        return
    if path != STREAM:
        require_format(Path(path), "jsonl" if kind == "jsonl" else "csv")
    name = "standard input" if path == STREAM else path
    codec = "utf-8-sig" if kind == "jsonl" else codec_of(encoding, "encoding")
    if path == STREAM and sys.stdin is None:
        raise DataError(Fault(name, "is closed.", "Pipe rows into it:  cat FILE | espalier predict …"))
    stream: IO[bytes] = sys.stdin.buffer if path == STREAM else open_bytes(Path(path))
    with io.TextIOWrapper(stream, encoding=codec, newline="\n" if kind == "jsonl" else "") as lines:
        seen = 0
        try:
            again = None if path == STREAM else lambda: open_text(Path(path), codec)
            if kind == "jsonl":
                separator, read = ",", objects(name, lines)
            else:
                separator, read = _delimited(lines, name, kind, again, delimiter)
            while part := list(islice(read, size)):
                numbers, rows = zip(*part, strict=True)
                seen = numbers[-1]
                header = tuple(dict.fromkeys(key for row in rows for key in row))
                yield Records(header, rows, numbers, separator=separator if kind == "csv" else ",")
        except UnicodeError as error:
            byte = f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else str(error)
            truth = f"is not {codec.removesuffix('-sig')}, somewhere after line {seen}: {byte}."
            raise DataError(Fault(name, truth, "Set encoding=cp1252, or what it is in.")) from None
        except (OSError, *DAMAGED) as error:
            raise DataError(Fault(name, f"cannot be read further than line {seen}: {error}.")) from None
    if not seen:
        raise DataError(Fault(name, "has no rows.", "Give a file with data in it."))


def _parquet(path: Path, size: int) -> Iterator[Chunk]:
    require_format(path, "parquet")
    done = 0
    try:
        file = pq.ParquetFile(path)
        require_single(path, names := file.schema_arrow.names, names)
        for batch in file.iter_batches(batch_size=size):
            batch.validate(full=True)
            yield Columns(pa.Table.from_batches([batch]), range(done, done + batch.num_rows))
            done += batch.num_rows
    except UNREADABLE as error:
        raise damaged(path, error) from None
    if not done:
        raise DataError(Fault(str(path), "has no rows.", "Give a file with data in it."))


def _delimited(
    lines: Iterable[str], name: str, kind: Format, again: Callable[[], Iterable[str]] | None, delimiter: str | None
) -> tuple[str, Iterator[tuple[int, dict[str, str]]]]:
    """What separates fields, and the rows. ``again`` gives all lines from the beginning, where that can be had."""
    stream = iter(lines)
    head = list(islice(stream, _HEAD))
    head[:1] = [line.lstrip(MARK) for line in head[:1]]
    if not head or not head[0].strip():
        raise DataError(Fault(name, "is empty: it has no header.", "Its first row must name the columns."))
    separator = "\t" if kind == "tsv" else sniff_delimiter(Path(name), head[0])
    separator = separator if delimiter is None else delimiter_of("delimiter", delimiter)
    plain = separator == "\t" and not is_quoted(again or (lambda: head))
    quoting: Literal[0, 3] = csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL
    return separator, _rows(csv.reader(chain(head, stream), delimiter=separator, strict=True, quoting=quoting), name)


def _rows(reader: Any, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by the line that they begin on. Of one column, an empty line is an empty cell, if others come behind it."""
    header: list[str] = []
    blank: list[int] = []
    begins = 1
    try:
        for row in reader:
            if not header:
                header = _unique(row, name)
            elif not row and len(header) == 1:
                blank.append(begins)
            elif row and len(row) != len(header):
                truth = f"has {len(row)} fields, and the header names {len(header)} columns."
                raise DataError(Fault(f"{name} line {begins}", truth, "Quote fields that hold the delimiter."))
            elif row:
                yield from ((line, {header[0]: ""}) for line in blank)
                blank = []
                yield begins, dict(zip(header, row, strict=True))
            begins = reader.line_num + 1
    except csv.Error as error:
        truth = f"has broken quoting ({error})."
        raise DataError(Fault(f"{name} line {begins}", truth, "Write a mark inside a quoted field twice.")) from None


def _unique(header: list[str], name: str) -> list[str]:
    if doubled := sorted({column for column in header if header.count(column) > 1}):
        raise DataError(Fault(name, f"has the column {doubled[0]!r} more than once.", "Rename one of them."))
    return header
