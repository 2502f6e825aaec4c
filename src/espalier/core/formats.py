"""Formats of table files, told by what they hold; gzipped ones are read like plain ones."""

from __future__ import annotations

import gzip
import io
import re
import shlex
import zlib
from pathlib import Path
from typing import IO, Any, Literal, TextIO

from espalier.core.errors import DataError, Fault

Format = Literal["csv", "jsonl", "parquet"]
_HEAD = 4096
_CHUNK, _WINDOW = 2**16, 2**22  # bytes
_RATIO = 200  # what a window may unpack to, in its own size: tables reach 3 to 20 times, gzip 1,032
_NAMES = {"csv": "a delimited table", "jsonl": "JSON lines", "parquet": "parquet"}
_ARRAY, _ARRAY_OF_OBJECTS = re.compile(rb"(\xef\xbb\xbf)?\s*\["), re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*\{\s*\"")
_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a gzipped file raises that was cut off or damaged."""


def open_bytes(path: Path) -> IO[bytes]:
    """A file for reading, unpacked if it is gzipped.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    try:
        file = path.open("rb")
        packed = file.read(2) == _GZIP
        file.seek(0)
    except FileNotFoundError:
        raise DataError(Fault(str(path), f"is not there (looked from {Path.cwd()}).", "Check its path.")) from None
    except OSError as error:
        raise DataError(Fault(str(path), f"cannot be read: {error.strerror}.")) from None
    return io.BufferedReader(_Unpacked(file, path), _CHUNK) if packed else file


class _Unpacked(io.RawIOBase):
    """A gzipped file, unpacked piece by piece; where it comes to many times more than tables do, it is a bomb."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__()
        self._inner, self._file, self._path = gzip.GzipFile(fileobj=file), file, path
        self._read = self._before = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As ``io.RawIOBase`` says. Raises ``DataError`` for a bomb."""
        piece = self._inner.read1(len(buffer))
        buffer[: len(piece)] = piece
        self._read += len(piece)
        if self._read >= _WINDOW:
            packed = self._file.tell() - self._before
            if self._read > _RATIO * packed:
                truth = f"has {packed:,} bytes that unpack to {self._read:,} and more: no table's do."
                raise DataError(Fault(str(self._path), truth, "If it is meant so, unpack it yourself:  gunzip"))
            self._before, self._read = self._file.tell(), 0
        return len(piece)

    def close(self) -> None:
        """Close both."""
        if not self.closed:
            self._inner.close()
            self._file.close()
        super().close()


def open_text(path: Path, encoding: str, line_end: Literal["", "\n"] = "") -> TextIO:
    """As ``open_bytes``; line ends are left as they are. ``line_end``: what a line ends with, or ``""``: any."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline=line_end)


def read_bytes(path: Path, at_most: int = -1) -> bytes:
    """A file's content, or its beginning, unpacked. Raises ``DataError``, also for a gzipped file that is cut off."""
    with open_bytes(path) as file:
        try:
            return file.read(at_most)
        except DAMAGED as error:
            truth = f"cannot be unpacked: it was cut off or damaged ({error})."
            raise DataError(Fault(str(path), truth, "Fetch or compress it again.")) from None


def format_of(path: Path) -> Format:
    """What a file holds: parquet, JSON lines, or else a delimited table. Raises ``DataError``: see ``read_bytes``."""
    return _format_of(read_bytes(path, _HEAD)) or "csv"


def require_format(path: Path, wanted: Format) -> None:
    """Say which data option reads a file, where it is not the one that was chosen.

    Raises:
        DataError: the file holds another format; it is not there.
    """
    head = read_bytes(path, _HEAD)
    if (found := _format_of(head)) == wanted or not head:
        return
    if found is not None:
        raise DataError(Fault(str(path), f"holds {_NAMES[found]}, not {_NAMES[wanted]}.", f"Set  data={found}"))
    if head.startswith(_ZIP):
        truth = f"is a zip archive or an Excel sheet, and not {_NAMES[wanted]}."
        raise DataError(Fault(str(path), truth, "Unpack it, or save the sheet as CSV (UTF-8)."))
    if _ARRAY.match(head) and (wanted == "jsonl" or _ARRAY_OF_OBJECTS.match(head)):
        remedy = f"Write one object a line:  {_lines_of(path)}"
        raise DataError(Fault(str(path), "is one JSON array, and not an object a line.", remedy))
    if wanted == "csv":
        return
    begins = head.partition(b"\n")[0][:60].decode(errors="replace").strip()
    remedy = "If it is a delimited table, set  data=csv"
    raise DataError(Fault(str(path), f"holds no {_NAMES[wanted]}: it begins with {begins!r}.", remedy))


def _lines_of(path: Path) -> str:
    """The command that makes a JSON array JSON lines, in another file: one that it writes, a shell empties first."""
    name = path.name.removesuffix(".gz")
    lines = path.with_name(f"{Path(name).stem}-lines.jsonl")
    source, made = shlex.quote(str(path)), shlex.quote(str(lines))
    return f"jq -c '.[]' {source} > {made}" if name == path.name else f"gzip -dc {source} | jq -c '.[]' > {made}"


def _format_of(head: bytes) -> Format | None:
    if head.startswith(_PARQUET):
        return "parquet"
    return "jsonl" if re.match(rb"(\xef\xbb\xbf)?\s*\{\s*[\"}]", head) else None
