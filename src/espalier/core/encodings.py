"""Encodings of text files: a name that Python knows, and which byte of a file is none of it."""

from __future__ import annotations

import codecs
import io

from espalier.core.errors import DataError, Fault

MARK = "\ufeff"
"""The byte order mark, as a character. At the beginning of a file it is no letter of its first column's name."""

_MARKED = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
_OF_SOURCE = ("unicode-escape", "raw-unicode-escape")  # of Python's own literals: what is no escape there is a warning


def codec_of(encoding: str, key: str = "data.encoding") -> str:
    """Python's name of an encoding; that of UTF-8 stands for files with a byte order mark and without.

    Args:
        key: what the user set it by, for the fault.

    Raises:
        DataError: it is none, or encodes no texts (``base64``).
    """
    try:
        name = codecs.lookup(encoding).name
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # refuses what encodes no texts
        known = name not in _OF_SOURCE
    except (LookupError, ValueError):
        known = False
    if not known:
        raise DataError(Fault(f"{key}={encoding}", "is no encoding that Python knows.", "Try utf-8."))
    return "utf-8-sig" if name == "utf-8" else name


def decoded(content: bytes, path: str, encoding: str, key: str = "data.encoding") -> str:
    """The text of a file, without a byte order mark.

    Args:
        path: of the file, for the fault.
        key: as in ``codec_of``.

    Raises:
        DataError: which byte on which line is not in ``encoding``; what ``codec_of`` raises.
    """
    codec = codec_of(encoding, key)
    if content and not content.startswith(_MARKED.get(codec, b"")):
        truth = f"has no byte order mark, by which {encoding} begins."
        raise DataError(Fault(path, truth, f"Set {key}={codec}-le, or {codec}-be."))
    try:
        return content.decode(codec).lstrip(MARK)
    except UnicodeDecodeError as error:
        raise _wrong_byte(content, path, encoding, error, key) from None
    except UnicodeError as error:
        raise DataError(Fault(path, f"is not {encoding}: {error}.", f"Set {key}.")) from None


def is_utf8(content: bytes) -> bool:
    """Whether bytes are UTF-8 and nothing else: not ASCII alone, which other encodings are written in too."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not content.isascii()


def _wrong_byte(content: bytes, path: str, encoding: str, error: UnicodeDecodeError, key: str) -> DataError:
    position = error.start + len(content) - len(error.object)  # the codec may have taken a byte order mark away
    line = content.count(b"\n", 0, position) + 1
    if position + 4 > len(content) and "end of data" in error.reason:
        truth, remedy = f"ends in the middle of a character on line {line}: it was cut off.", "Fetch it again."
    else:
        truth = f"is not {encoding}: byte 0x{content[position]:02x} at position {position} (line {line})."
        utf16 = content.startswith(_MARKED["utf-16"])
        remedy = f"Set {key}=utf-16." if utf16 else f"Set {key}, for instance {key}=cp1252 or {key}=gb18030."
        if not utf16 and is_utf8(content):
            remedy = f"It is valid UTF-8: set {key}=utf-8."
    return DataError(Fault(path, truth, remedy))
