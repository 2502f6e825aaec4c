"""Tables as other programs write them, and as they arrive when something went wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from fuzz.effort import ANY, WHOLE

Rows = list[list[str]]


@dataclass(frozen=True)
class Written:
    """A delimited file that a program wrote, with what it wrote."""

    content: bytes
    header: list[str]
    rows: Rows
    encoding: str
    delimiter: str


CELLS = st.one_of(
    WHOLE,
    st.text(st.sampled_from("ab \"',;\t|\\\r\n\0é星🙂\ufeff\u2028\x85\x1c"), max_size=12),
    st.sampled_from(["", " ", '"', '""', "NULL", "nan", "1", "-0.0", "=1+1", "\n", "\r\n", "x" * 3000]),
)
NAMES = st.lists(CELLS.filter(str.strip), min_size=1, max_size=4, unique=True)


@st.composite
def delimited(draw: st.DrawFn, *, cells: st.SearchStrategy[str] = CELLS) -> Written:
    """Written by Python's csv module: any delimiter, quoting, line end, encoding, with a byte order mark or without."""
    header = draw(NAMES.filter(lambda names: not names[0].startswith("\ufeff")))  # which is a byte order mark there
    rows = draw(st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=8))
    delimiter = draw(st.sampled_from(",;|" if _takes_several_lines([header, *rows]) else ",;|\t"))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "cp1252", "latin-1"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=end)
    if draw(st.booleans()) and "\r" not in "".join(cell for row in [header, *rows] for cell in row):
        # Only what must be is quoted. (Python's writer leaves a carriage return bare, which no reader can tell.)
        writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    writer.writerows([header, *rows])
    try:
        content = file.getvalue().encode(encoding)
    except UnicodeEncodeError:
        encoding = "utf-8"
        content = file.getvalue().encode()
    if draw(st.booleans()) and len(rows[-1][-1]) != 0:
        content = content.removesuffix(end.encode()) if encoding.startswith("utf-8") else content
    packed = gzip.compress(content, mtime=0) if draw(st.booleans()) else content
    return Written(packed, header, rows, encoding, delimiter)


def _takes_several_lines(rows: Rows) -> bool:
    """In a tab-separated table only the rows' widths tell whether a line's end belongs to a field, if anything does."""
    return any(end in cell for row in rows for cell in row for end in "\n\r")


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """Cut off, with some bytes lost, doubled or overwritten."""
    content = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        piece = draw(
            st.sampled_from([b"", b'"', b"\n", b"\r", b"\0", b",", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\\u"])
            | st.binary(max_size=4)
        )
        content[place : place + draw(st.integers(0, 3))] = piece
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | WHOLE | ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WHOLE, inner, max_size=3),
    max_leaves=4,
)
RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["text", "label", "größe", ""]) | WHOLE, JSON, max_size=4), min_size=1, max_size=6
)


def lines(records: list[Any], *, ascii_only: bool, end: str = "\n") -> bytes:
    """JSON lines."""
    text = end.join(json.dumps(record, ensure_ascii=ascii_only) for record in records) + end
    return text.encode("utf-8", "surrogatepass")
