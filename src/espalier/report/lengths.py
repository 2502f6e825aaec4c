"""How long the texts are, and where they are cut."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from espalier.report.predictions import Ints
from espalier.report.quantities import count, share
from espalier.report.svg import Scale, element, picture, ticks

_WIDTH, _HEIGHT = 340.0, 150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 12.0, 22.0, 22.0
_COLUMNS = 40


def length_histogram(length: Ints, max_length: int | None = None) -> Markup:
    """Rows by number of tokens; a line marks where texts are cut, and what lies beyond it.

    Args:
        length: tokens of each row before it was cut, (N,), N at least 1.
        max_length: tokens at which texts are cut.
    """
    longest = int(length.max())
    size = max(1, -(-longest // _COLUMNS))  # tokens a column, whole ones
    rows = np.bincount((np.maximum(length, 1) - 1) // size)
    x = Scale(0.0, float(size * len(rows)), _LEFT, _WIDTH - _RIGHT)
    y = Scale(0.0, float(rows.max()), _HEIGHT - _BOTTOM, _TOP)
    parts = [_column(i * size, size, int(number), x, y) for i, number in enumerate(rows) if number]
    parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(0), y2=y(0), class_="grid"))
    for tick in (tick for tick in ticks(x.low, x.high) if tick == int(tick)):
        anchor = "end" if x(tick) > _WIDTH - _RIGHT - 14 else "middle"
        parts.append(element("text", f"{int(tick):,}", x=x(tick), y=_HEIGHT - 6, text_anchor=anchor))
    if max_length and max_length < x.high:
        parts += _cut(length, max_length, x)
    return picture(_WIDTH, _HEIGHT, "rows by number of tokens", parts, "chart")


def _column(start: int, size: int, rows: int, x: Scale, y: Scale) -> Markup:
    tokens = count(start + 1, "token") if size == 1 else f"{start + 1} to {start + size} tokens"
    said = element("title", f"{tokens}: {count(rows, 'row')}")
    width = max(1.0, x(start + size) - x(start) - 1)
    height = max(1.0, y(0) - y(rows))
    return element("rect", said, x=x(start), y=y(0) - height, width=width, height=height, class_="bar")


def _cut(length: Ints, max_length: int, x: Scale) -> list[Markup]:
    over = int((length > max_length).sum())
    said = f"cut at {max_length:,}" + (f": {count(over, 'row')} ({share(over, len(length))}) beyond" if over else "")
    place = x(max_length)
    right = place > _WIDTH / 2
    return [
        element("line", x1=place, x2=place, y1=4.0, y2=_HEIGHT - _BOTTOM, class_="cut"),
        element("text", said, x=place + (-6 if right else 6), y=12, text_anchor="end" if right else "start"),
    ]
