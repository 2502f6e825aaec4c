"""Delimited text files, read strictly: every fault is named by row, nothing is repaired in silence."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

from espalier.core.errors import DataError, Fault
from espalier.core.formats import DAMAGED, open_text, read_bytes, require_format

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
        DataError: the file is missing, empty, of another format, or its beginning is not in ``encoding``.
    """
    codec = _codec(encoding)
    require_format(path, "csv")
    try:
        with open_text(path, codec) as file:
            return _header(path, file, delimiter)
    except (UnicodeError, *DAMAGED):
        _decode(path, encoding)  # says which byte of the whole file
        raise


def read_table(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
    """All rows of a file, which may be gzipped.

    Raises:
        DataError: not there, empty, of another format, not in ``encoding`` (which byte), broken quoting (where it
            begins), ragged rows (which), cut off in the middle of a row or character, a column name that stands twice.
    """
    header = read_header(path, encoding, delimiter)
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(Fault(str(path), f"has the column {doubled[0]!r} more than once.", "Rename one of them."))
    text = _decode(path, encoding)
    separator = _separator(path, text.partition("\n")[0], delimiter)
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
    """By the ending (``.tsv``, ``.tab``: tab), else the one of comma, semicolon, tab, bar that the header has most."""
    if Path(path.name.removesuffix(".gz")).suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(",;\t|", key=header.count)


def _header(path: Path, file: TextIO, delimiter: str | None) -> list[str]:
    line = file.readline()
    if not line.strip():
        raise DataError(Fault(str(path), "is empty: it has no header.", "Its first row must name the columns."))
    try:
        # A quoted name may go on over the line's end.
        return next(csv.reader(chain([line], file), delimiter=_separator(path, line, delimiter), strict=True))
    except csv.Error as error:
        raise _broken_quoting(path, 1, error) from None


def _separator(path: Path, header: str, delimiter: str | None) -> str:
    separator = {None: sniff_delimiter(path, header), "\\t": "\t"}.get(delimiter, delimiter) or ""
    if len(separator) != 1 or separator in '"\r\n':
        raise DataError(
            Fault(f"data.delimiter={delimiter}", "is not one character that separates fields.", r"For a tab: '\t'.")
        )
    return separator


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    quoting: Literal[0, 3] = csv.QUOTE_NONE if separator == "\t" and not is_quoted(text) else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, quoting=quoting)
    begins = 1
    try:
        for position, row in enumerate(reader):
            if position:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _broken_quoting(path, begins, error) from None


def _broken_quoting(path: Path, line: int, error: csv.Error) -> DataError:
    return DataError(
        Fault(
            str(path),
            f"has broken quoting in the row that begins on line {line} ({error}).",
            'Close the quotation mark, and write a mark inside a quoted field twice ("").',
        )
    )


def is_quoted(text: str) -> bool:
    """Whether a tab-separated text quotes its fields."""
    # Tab-separated files mostly quote nothing; one that does closes each field that it opens before the line ends.
    marked = [line for line in text.splitlines() if line.startswith('"') or '\t"' in line]
    try:
        return bool(marked) and all(list(csv.reader([line], delimiter="\t", strict=True)) for line in marked)
    except csv.Error:
        return False


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


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(Fault(f"data.encoding={encoding}", "is no encoding that Python knows.", "Try utf-8.")) from None
    return "utf-8-sig" if name == "utf-8" else name  # with or without a byte order mark


def _decode(path: Path, encoding: str) -> str:
    content = read_bytes(path)
    try:
        return content.decode(_codec(encoding))
    except UnicodeDecodeError as error:
        position = error.start + len(content) - len(error.object)  # the codec may have taken a byte order mark away
        line = content.count(b"\n", 0, position) + 1
        if position + 4 > len(content) and "end of data" in error.reason:
            truth, remedy = f"ends in the middle of a character on line {line}: it was cut off.", "Fetch it again."
        else:
            truth = f"is not {encoding}: byte 0x{content[position]:02x} at position {position} (line {line})."
            utf16 = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            other = "data.encoding=cp1252 or data.encoding=gb18030"
            remedy = "Set data.encoding=utf-16." if utf16 else f"Set data.encoding, for instance {other}."
        raise DataError(Fault(str(path), truth, remedy)) from None
