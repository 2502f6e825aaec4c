"""JSON lines (one object a line), read strictly: every fault is named by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from espalier.core.errors import DataError, Fault
from espalier.core.formats import DAMAGED, open_text, read_bytes, require_format
from espalier.core.texts import halved, is_whole

_LOOKED_AT = 1000  # lines that tell the columns before the whole is read
_Pairs = list[tuple[str, Any]]


@dataclass(frozen=True)
class Records:
    """The objects of a file; ``numbers[i]`` is the line of object ``i``, from 1. A key that one lacks is None there."""

    header: tuple[str, ...]
    rows: Sequence[Mapping[str, Any]]
    numbers: Sequence[int]

    def column(self, name: str) -> list[Any]:
        """One key's values."""
        return [row.get(name) for row in self.rows]


def peek_records(path: Path) -> dict[str, Any]:
    """The keys of the first thousand objects, each with the first value that is not null.

    Raises:
        DataError: see ``read_records``.
    """
    found: dict[str, Any] = {}
    for record in first_records(path):
        found |= {key: value for key, value in record.items() if found.get(key) is None}
    if not found:
        raise _empty(path)
    return found


def first_records(path: Path) -> Iterator[dict[str, Any]]:
    """The first thousand objects. Raises ``DataError``: see ``read_records``."""
    require_format(path, "jsonl")
    try:
        with open_text(path, "utf-8-sig", line_end="\n") as file:
            for _, record in objects(str(path), islice(file, _LOOKED_AT)):
                yield record
    except (UnicodeDecodeError, *DAMAGED):
        _text(path)  # says where in the whole file
        raise


def read_records(path: Path) -> Records:
    """All objects of a file; empty lines are passed over.

    Raises:
        DataError: not there, empty, another format, not UTF-8 (which byte), a line that is no JSON object or has a key
            twice (which) or half a character, cut off in the middle of a line.
    """
    require_format(path, "jsonl")
    numbered = list(objects(str(path), _text(path).split("\n")))
    header = dict.fromkeys(key for _, row in numbered for key in row)
    if not header:
        raise _empty(path)
    numbers, rows = zip(*numbered, strict=True)
    return Records(tuple(header), rows, numbers)


def objects(path: str, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of lines that are not blank.

    Args:
        path: what they are of, for people.

    Raises:
        DataError: a line that is no JSON object, or has a key twice or half a character.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_once)
        except _TwiceError as error:
            raise DataError(Fault(f"{path} line {number}", f"has the key {error.args[0]!r} twice.")) from None
        except ValueError as error:
            raise _broken(path, number, lines, error) from None
        except RecursionError:
            raise DataError(Fault(f"{path} line {number}", "is nested too deeply to be read.")) from None
        if not isinstance(record, dict):
            truth = f"is no JSON object but {type(record).__name__}."
            raise DataError(Fault(f"{path} line {number}", truth, 'Write  {"text": …, "label": …}'))
        if "\\ud" in line.lower() and not is_whole(json.dumps(record, ensure_ascii=False)):
            raise halved(f"{path} line {number}")
        yield number, record


class _TwiceError(Exception):
    pass


def _once(pairs: _Pairs) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return record


def _broken(path: str, number: int, lines: Iterable[str], error: ValueError) -> DataError:
    if isinstance(lines, list) and number == len(lines):  # the file does not end with a line's end
        return DataError(Fault(f"{path} line {number}", "ends in the middle: it was cut off.", "Fetch it again."))
    return DataError(Fault(f"{path} line {number}", f"is no JSON: {error}.", "Mend that line."))


def _empty(path: Path) -> DataError:
    return DataError(Fault(str(path), "is empty.", "Give a file with data in it."))


def _text(path: Path) -> str:
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        position = error.start + len(content) - len(error.object)
        line = content.count(b"\n", 0, position) + 1
        truth = f"is not UTF-8: byte 0x{content[position]:02x} at position {position}."
        raise DataError(Fault(f"{path} line {line}", truth, "JSON is UTF-8: convert the file (iconv).")) from None
