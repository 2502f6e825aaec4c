"""Delimited text files, read strictly: every fault is named by row, nothing is repaired in silence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TextIO

from espalier.core.encodings import MARK, codec_of, decoded
from espalier.core.errors import DataError, Fault
from espalier.core.formats import DAMAGED, open_text, read_bytes, require_format

_SHOWN = 5
_LOOKED_AT = 1000  # rows that tell what a column holds before the whole is read
_QUOTED = re.compile(r'(^|[,;\t|])"(?:[^"]|"")*(?:"|$)')  # a name, which may go on over the line's end
_Lines = Callable[[], Iterable[str]]
csv.field_size_limit(2**30)


@dataclass(frozen=True)
class Table:
    """The rows of a file as strings; ``numbers[i]`` is the file's row number of row ``i`` (the header is row 1).

    Attributes:
        header: the names of all columns.
        names: of those that the rows have.
    """

    header: tuple[str, ...]
    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]

    def column(self, name: str) -> list[str]:
        """One column's values."""
        position = self.names.index(name)
        return [row[position] for row in self.rows]


def read_header(path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> list[str]:
    """The column names of a file, from its first row.

    Raises:
        DataError: the file is missing, empty, of another format, or its beginning is not in ``encoding``.
    """
    codec = codec_of(encoding)
    require_format(path, "csv")
    try:
        with open_text(path, codec) as file:
            return _header(path, file, delimiter)
    except (UnicodeError, *DAMAGED):
        whole = decoded(read_bytes(path), str(path), encoding)  # says which byte of the whole file
        return _header(path, io.StringIO(whole, newline=""), delimiter)


def read_table(
    path: Path, encoding: str = "utf-8", delimiter: str | None = None, *, names: Iterable[str] | None = None
) -> Table:
    """All rows of a file, which may be gzipped.

    Args:
        names: the columns that are kept, of those that the file has; None: all.

    Raises:
        DataError: not there, empty, of another format, not in ``encoding`` (which byte), broken quoting (where it
            begins), ragged rows (which), cut off in the middle of a row or character, a column name that stands twice.
    """
    header = read_header(path, encoding, delimiter)
    if doubled := sorted({name for name in header if header.count(name) > 1}):
        raise DataError(Fault(str(path), f"has the column {doubled[0]!r} more than once.", "Rename one of them."))
    chosen = tuple(header if names is None else dict.fromkeys(name for name in names if name in header))
    places = [header.index(name) for name in chosen]
    lines = _lines(path, encoding)
    separator = _separator(path, next(iter(lines())), delimiter)
    rows: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[tuple[int, int]] = []
    blank: list[int] = []
    for number, row in _rows(path, lines, separator):
        if not row and len(header) == 1:  # an empty cell, if others come behind it
            blank.append(number)
        elif len(row) == len(header):
            rows += [[""] * len(places) for _ in blank]
            numbers += blank
            blank = []
            rows.append([row[place] for place in places])
            numbers.append(number)
        elif row:
            ragged.append((number, len(row)))
    if ragged:
        raise _ragged(path, len(header), ragged, lines)
    if not rows:
        raise DataError(Fault(str(path), "has a header and no rows.", "Give a file with data in it."))
    return Table(tuple(header), chosen, rows, numbers)


def peek_column(path: Path, name: str, encoding: str = "utf-8", delimiter: str | None = None) -> list[str]:
    """A column's values on the first thousand rows, without those that are cut off.

    Raises:
        DataError: see ``read_header``.
    """
    place = read_header(path, encoding, delimiter).index(name)
    with open_text(path, codec_of(encoding)) as file:
        header = file.readline().lstrip(MARK)
        rows = csv.reader(chain([header], file), delimiter=_separator(path, header, delimiter))
        found: list[str] = []
        try:
            found.extend(row[place] for row in islice(rows, 1, _LOOKED_AT) if len(row) > place)
        except (csv.Error, UnicodeError, *DAMAGED):
            return found  # reading all of it says where
    return found


def sniff_delimiter(path: Path, header: str) -> str:
    """By the ending (``.tsv``, ``.tab``: tab), else the one of comma, semicolon, tab, bar that the header has most."""
    if Path(path.name.removesuffix(".gz")).suffix.lower() in (".tsv", ".tab"):
        return "\t"
    return max(",;\t|", key=_QUOTED.sub(r"\1", header).count)


def delimiter_of(key: str, given: str) -> str:
    """What a user said that separates fields; ``\\t`` is a tab.

    Args:
        key: what it was said by, for the fault.

    Raises:
        DataError: it is not one character, or one that means something else.
    """
    separator = {"\\t": "\t"}.get(given, given)
    if len(separator) != 1 or separator in '"\r\n':
        raise DataError(Fault(f"{key}={given}", "is not one character that separates fields.", r"For a tab: '\t'."))
    return separator


def _header(path: Path, file: TextIO, delimiter: str | None) -> list[str]:
    line = file.readline().lstrip(MARK)
    if not line.strip():
        raise DataError(Fault(str(path), "is empty: it has no header.", "Its first row must name the columns."))
    try:
        # A quoted name may go on over the line's end.
        return next(csv.reader(chain([line], file), delimiter=_separator(path, line, delimiter), strict=True))
    except csv.Error as error:
        raise _broken_quoting(path, 1, error) from None


def _separator(path: Path, header: str, delimiter: str | None) -> str:
    return sniff_delimiter(path, header) if delimiter is None else delimiter_of("data.delimiter", delimiter)


def _lines(path: Path, encoding: str) -> _Lines:
    """The lines of a file, decoded anew each time: as text they may take several times their bytes.

    Raises:
        DataError: which byte is not in ``encoding``.
    """
    content, codec = read_bytes(path), codec_of(encoding)

    def lines() -> Iterator[str]:
        with io.TextIOWrapper(io.BytesIO(content), encoding=codec, newline="") as file:
            yield file.readline().lstrip(MARK)
            yield from file

    try:
        for _ in lines():
            pass
    except UnicodeError:
        text = decoded(content, str(path), encoding)  # says which byte
        return lambda: io.StringIO(text, newline="")
    return lines


def _rows(path: Path, lines: _Lines, separator: str) -> Iterator[tuple[int, list[str]]]:
    quoting: Literal[0, 3] = csv.QUOTE_NONE if separator == "\t" and not is_quoted(lines) else csv.QUOTE_MINIMAL
    reader = csv.reader(lines(), delimiter=separator, strict=True, quoting=quoting)
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


def is_quoted(lines: _Lines) -> bool:
    """Whether a tab-separated text quotes its fields, as few do.

    One that does closes each field that it opens before the line ends. Where it does not, a line's end may stand within
    a field: then all rows have as many fields as the header only if marks are read as quotes.

    Args:
        lines: gives all lines with their ends, each time from the beginning.
    """
    marked, closed = False, True
    for line in lines():
        if line.startswith('"') or '\t"' in line:
            marked, closed = True, closed and _widths([line], csv.QUOTE_MINIMAL) is not None
    if not marked or closed:
        return marked
    return len(_widths(lines(), csv.QUOTE_NONE) or ()) > 1 and len(_widths(lines(), csv.QUOTE_MINIMAL) or ()) == 1


def _widths(lines: Iterable[str], quoting: Literal[0, 3]) -> set[int] | None:
    """How many fields rows have; None where the quoting is broken."""
    try:
        return {len(row) for row in csv.reader(lines, delimiter="\t", strict=True, quoting=quoting) if row}
    except csv.Error:
        return None


def _ragged(path: Path, width: int, ragged: Sequence[tuple[int, int]], lines: _Lines) -> DataError:
    first, found = ragged[0]
    ends = [line.endswith("\n") for line in lines()]
    if len(ragged) == 1 and found < width and not ends[-1] and first >= sum(ends):
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
