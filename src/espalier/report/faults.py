"""The answer to mistakes: every fault of a command at once, in columns. Standard library only; quick to import."""

from __future__ import annotations

from collections.abc import Sequence

from espalier.core.errors import Fault
from espalier.report.layout import aligned, fits, padded, terminal_width, width_of, wrap

_INDENT = "  "
_GAP = 3


def fault_lines(faults: Sequence[Fault], width: int | None = None) -> list[str]:
    """What is to be mended, one fault after the other: what was set, what is true, what to type, where it stands.

    On one line each, in aligned columns, where all fit; else the text is wrapped beside what was set.

    Args:
        faults: at least one.
        width: columns to write in; the terminal's if not given.
    """
    width = terminal_width() if width is None else width
    things = "1 thing" if len(faults) == 1 else f"{len(faults)} things"
    body = _body(faults, width - len(_INDENT))
    return [f"{things} to mend before this can run", "", *(_INDENT + line if line else "" for line in body)]


def failure_lines(error: Exception) -> list[str]:
    """What could not be done, where nothing in the command is to be mended."""
    return [f"this could not be done: {error}"]


def warning_line(message: Warning | str, *_: object, **__: object) -> str:
    """In the place of ``warnings.formatwarning``: where in a library it was said is no matter of the user's."""
    return f"{message}\n"


def _body(faults: Sequence[Fault], width: int) -> list[str]:
    rows = [[_what(fault), fault.truth, fault.remedy, f"({fault.where})" if fault.where else ""] for fault in faults]
    used = [column for column in zip(*rows, strict=True) if any(column)]
    lines = aligned(list(zip(*used, strict=True)), gap=_GAP)
    if fits(lines, width) and not any("\n" in cell for row in rows for cell in row):
        return lines
    return _wrapped(rows, width)


def _wrapped(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    widest = max(width_of(row[0]) for row in rows)
    left = min(widest, width // 3)
    room = width - (left + _GAP if widest else 0)
    lines: list[str] = []
    for what, truth, remedy, where in rows:
        said = "  ".join(filter(None, (truth, remedy, where)))
        paragraphs = [said] if width_of(said) <= room else [truth, "  ".join(filter(None, (remedy, where)))]
        text = [line for part in paragraphs if part for whole in part.split("\n") for line in wrap(whole, room)]
        lines += [""] if lines else []
        lines += _beside(what, text, left) if widest else text
    return lines


def _beside(what: str, text: Sequence[str], left: int) -> list[str]:
    margin = " " * (left + _GAP)
    first = [padded(what, left + _GAP) + text[0]] if width_of(what) <= left else [what, margin + text[0]]
    return [*first, *(margin + line for line in text[1:])]


def _what(fault: Fault) -> str:
    return fault.what.replace("\n", " ")
