"""Delimited text files, read strictly: every fault is named by row, nothing is repaired in silence. No pandas, no torch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from espalier.core.errors import DataError, Fault

_SHOWN = 5
csv.field_size_limit(2**30)


@dataclass(frozen=True)
class Table:
    """The rows of a file as strings; ``numbers[i]`` is the file's row number of row ``i`` (the header is row 1)."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]

    def column(self, name: str) -> list[str]:
        """One column's values."""
        position = self.header.index(name)
        return [row[position] for row in self.rows]


def read_header(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> list[str]:
    """The column names of a file, from its first row.

    Raises:
        DataError: the file is missing, empty, or its first row is not in ``encoding``.
    """
    with _open(path) as file:
        line = file.readline()
    text = _decode(line, path, encoding)
    if not text.strip():
        raise DataError(Fault(str(path), "is empty: it has no header.", "Give a file whose first row names the columns."))
    return next(csv.reader([text], delimiter=delimiter or sniff_delimiter(path, text)))


def read_table(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
    """All rows of a file.

    Raises:
        DataError: not there, empty, not in ``encoding`` (which byte), broken quoting (where it begins), ragged rows
            (which), cut off in the middle of a row, or a column name that stands twice.
    """
    header = read_header(path, encoding, delimiter)
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(Fault(str(path), f"has the column {doubled[0]!r} more than once.", "Rename one of them."))
    text = _decode(path.read_bytes(), path, encoding)
    separator = delimiter or sniff_delimiter(path, text.partition("\n")[0])
    rows: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[tuple[int, int]] = []
    for number, row in _rows(path, text, separator):
        if len(row) == len(header):
            rows.append(row)
            numbers.append(number)
        elif row:
            ragged.append((number, len(row)))
    if ragged:
        raise _ragged(path, len(header), ragged, text)
    if not rows:
        raise DataError(Fault(str(path), "has a header and no rows.", "Give a file with data in it."))
    return Table(tuple(header), rows, numbers)


def sniff_delimiter(path: Path, header: str) -> str:
    """By the file's ending (``.tsv``, ``.tab``: a tab), else whichever of comma, semicolon, tab, bar its header has most."""
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(",;\t|", key=header.count)


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    quoting = csv.QUOTE_NONE if separator == "\t" and not _quoted(text) else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, quoting=quoting)
    begins = 1
    try:
        for position, row in enumerate(reader):
            if position:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            Fault(
                str(path),
                f"has broken quoting in the row that begins on line {begins} ({error}).",
                'Close the quotation mark, and write a mark inside a quoted field twice ("").',
            )
        ) from None


def _quoted(text: str) -> bool:
    # Tab-separated files mostly quote nothing; one that does begins fields with a mark and ends them with one.
    return '\t"' in text or '\n"' in text


def _ragged(path: Path, width: int, ragged: Sequence[tuple[int, int]], text: str) -> DataError:
    first, found = ragged[0]
    if len(ragged) == 1 and found < width and not text.endswith("\n") and first >= text.count("\n"):
        return DataError(
            Fault(str(path), f"ends in the middle of line {first}: it was cut off.", "Fetch or export the file again.")
        )
    listed = ", ".join(f"{number} ({fields})" for number, fields in ragged[:_SHOWN])
    more = f" and {len(ragged) - _SHOWN} more" if len(ragged) > _SHOWN else ""
    return DataError(
        Fault(
            str(path),
            f"has {width} columns, but other numbers of fields on line {listed}{more}.",
            "Quote fields that hold the delimiter, or set data.delimiter.",
        )
    )


def _open(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise DataError(Fault(str(path), f"is not there (looked from {Path.cwd()}).", "Check data.path.")) from None
    except OSError as error:
        raise DataError(Fault(str(path), f"cannot be read: {error.strerror}.")) from None


def _decode(content: bytes, path: Path, encoding: str) -> str:
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        byte, line = content[error.start], content.count(b"\n", 0, error.start) + 1
        raise DataError(
            Fault(
                str(path),
                f"is not {encoding}: byte 0x{byte:02x} at position {error.start} (line {line}).",
                "Set data.encoding, for instance data.encoding=cp1252 or data.encoding=gb18030.",
            )
        ) from None
    except LookupError:
        raise DataError(Fault(f"data.encoding={encoding}", "is not an encoding that Python knows.", "Try utf-8.")) from None
