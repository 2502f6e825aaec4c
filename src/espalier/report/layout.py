"""Plain text in columns, for terminals: display width of any script, wrapping, alignment."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_NARROWEST = 80
_ENDS = (".", "?", ",", ";")


def terminal_width() -> int:
    """Columns to write in: the terminal's, never fewer than 80; 120 where there is no terminal."""
    return max(_NARROWEST, shutil.get_terminal_size((120, 24)).columns)


def width_of(text: str) -> int:
    """Cells that a text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def padded(text: str, width: int, right: bool = False) -> str:
    """The text, filled with blanks to ``width`` cells."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def flow(parts: Iterable[str], width: int, gap: str = "   ") -> list[str]:
    """Parts side by side with a gap between; a new line where the next one does not fit. A part is never broken."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and width_of(lines[-1] + gap + part) <= width:
            lines[-1] += gap + part
        else:
            lines.append(part)
    return lines


def wrap(text: str, width: int) -> list[str]:
    """Break at blanks; at least one line. A word and a command stay whole, however long, so that they can be copied.

    A command begins after two blanks, and ends before two others or a sign by itself:
    ``Go on:  train --resume a , or begin anew:  train --rerun a``.
    """
    return flow(_units(text), width, " ") or [""]


def _units(text: str) -> Iterator[str]:
    """The words of a text, those of a command together."""
    command: list[str] | None = None
    before = ""
    for word in re.split(r"( {2,})| ", text):
        if word is None:
            continue
        if word.startswith("  "):  # not between sentences
            yield " ".join(command or ())
            command = [] if command is None and before[-1:] not in (*_ENDS, "") else None
        elif command is None:
            yield word
        else:
            command.append(word)
            if word in _ENDS:
                yield " ".join(command)
                command = None
        before = word
    yield " ".join(command or ())


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = (), gap: int = 3) -> list[str]:
    """Rows of cells as lines with aligned columns; the columns numbered in ``right`` are set flush right."""
    widths = [max(width_of(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (padded(cell, width, i in right) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def cut(text: str, width: int) -> str:
    """The text, or so much of it as fits with an ellipsis at its end."""
    if width_of(text) <= width:
        return text
    while width_of(text) >= width:
        text = text[:-1]
    return text + "…"


def fits(lines: Iterable[str], width: int) -> bool:
    """Whether no line is wider."""
    return all(width_of(line) <= width for line in lines)


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
