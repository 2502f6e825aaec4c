"""Pictures of a classifier's answers: the confusion matrix, the reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from espalier.report.layout import cut, width_of
from espalier.report.measures import Bin
from espalier.report.predictions import Ints
from espalier.report.quantities import count, share, value
from espalier.report.svg import Scale, element, path, picture

_SHOWN = 30  # cells of a label's text; the whole label is in its title
_FEW = 8  # classes whose labels are slanted; of more they stand upright
_SIZES = ((4, 64.0, 13.0), (12, 40.0, 12.0), (20, 28.0, 11.0), (40, 16.0, 9.0), (120, 10.0, 8.0))
"""At most so many classes: the length of a cell's side, the height of letters."""


@dataclass(frozen=True)
class _Grid:
    """Sizes of a confusion matrix: a cell, its letters, and room for labels at the left and on top."""

    cell: float
    letters: float
    left: float
    top: float
    angle: int

    @property
    def counts(self) -> bool:
        """Whether a number can be read in a cell."""
        return self.cell >= 24

    @staticmethod
    def of(labels: Sequence[str]) -> _Grid:
        """Fewer classes, larger cells; the counts are written where they can be read."""
        classes = len(labels)
        cell, letters = next(size for most, *size in _SIZES if classes <= most)
        longest = max(width_of(cut(label, _SHOWN)) for label in labels) * letters * 0.6
        angle = 45 if classes <= _FEW else 90
        return _Grid(cell, letters, longest + 16, longest * math.sin(math.radians(angle)) + 28, angle)


def confusion_matrix(confusion: Ints, labels: Sequence[str]) -> Markup | None:
    """Rows are targets, columns predictions; colour is the share of the row. None for more classes than can be read."""
    if len(labels) > _SIZES[-1][0]:
        return None
    grid, size = _Grid.of(labels), len(labels)
    parts = [element("text", "predicted →", x=grid.left, y=12, class_="axis")]
    parts += [element("text", "target ↓", x=0, y=grid.top - 6, class_="axis")]
    for i, label in enumerate(labels):
        parts += _names(grid, i, label)
    parts += [_frame(grid, size)]
    for target, prediction in zip(*confusion.nonzero(), strict=True):
        parts += _cell(grid, confusion, int(target), int(prediction), labels)
    width = _width(grid, size)
    said = "confusion matrix; the table of classes beneath says the same in figures"
    return picture(width, grid.top + size * grid.cell + 4, said, parts, "confusion", grid.letters)


def matrix_width(labels: Sequence[str]) -> float:
    """Pixels that a matrix, where it is drawn, takes from left to right; a narrower screen scrolls."""
    return _width(_Grid.of(labels), len(labels))


def _width(grid: _Grid, size: int) -> float:
    overhang = (grid.top - 28) * (grid.angle < 90)  # of the last slanted label
    return grid.left + size * grid.cell + overhang + 4


def confused_pairs(confusion: Ints, at_most: int = 8) -> list[tuple[int, int, int, float]]:
    """(target, prediction, rows, share of the target's rows) of the commonest confusions."""
    support = confusion.sum(1)
    pairs = [(int(confusion[i, j]), int(i), int(j)) for i, j in zip(*confusion.nonzero(), strict=True) if i != j]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return [(i, j, rows, float(rows / support[i])) for rows, i, j in pairs[:at_most]]


def reliability(bins: Sequence[Bin], classes: int) -> Markup:
    """Accuracy over confidence, a dot for each bin, its area the share of rows; beneath, how the rows are spread."""
    x = Scale(0.5 if classes == 2 else 0.0, 1.0, 44.0, 328.0)
    y = Scale(0.0, 1.0, 226.0, 22.0)
    parts = [mark for tick in (0.0, 0.25, 0.5, 0.75, 1.0) for mark in _rule(x, y, tick)]
    parts.append(element("path", d=path([(x(x.low), y(x.low)), (x(1), y(1))]), class_="ideal"))
    total, tallest = sum(b.rows for b in bins), max(b.rows for b in bins)
    for b in bins:
        sure, right = value(b.confidence), value(b.accuracy)
        said = element("title", f"{count(b.rows, 'row')}: confidence {sure}, accuracy {right}")
        place = {"cx": x(b.confidence), "cy": y(b.accuracy), "r": 3 + 9 * (b.rows / total) ** 0.5}
        ends = {"x1": x(b.confidence), "x2": x(b.confidence), "y1": y(b.confidence), "y2": y(b.accuracy)}
        parts += [element("line", **ends, class_="gap"), element("circle", said, **place, class_="bin")]
        parts.append(_column(b, tallest, x))
    parts.append(element("text", "accuracy", x=0, y=8))
    parts.append(element("text", "confidence", x=186, y=296, text_anchor="middle"))
    return picture(340.0, 300.0, "reliability diagram: accuracy by confidence", parts, "chart")


def _names(grid: _Grid, i: int, label: str) -> list[Markup]:
    middle, text, whole = (i + 0.5) * grid.cell, cut(label, _SHOWN), element("title", label)
    x, y = grid.left + middle + (grid.letters * 0.35 if grid.angle == 90 else 0), grid.top - 6
    down = grid.top + middle + grid.letters * 0.35
    return [
        element("text", whole, text, x=grid.left - 8, y=down, text_anchor="end"),
        element("text", whole, text, x=x, y=y, transform=f"rotate(-{grid.angle} {x:.1f} {y:.1f})"),
    ]


def _frame(grid: _Grid, size: int) -> Markup:
    side = size * grid.cell
    return element("rect", x=grid.left, y=grid.top, width=side, height=side, class_="frame")


def _cell(grid: _Grid, confusion: Ints, i: int, j: int, labels: Sequence[str]) -> list[Markup]:
    rows, of = int(confusion[i, j]), int(confusion[i].sum())
    part = rows / of
    x, y, inset = grid.left + j * grid.cell, grid.top + i * grid.cell, 0.5 if grid.cell < 12 else 1.0
    said = element("title", f"{labels[i]} → {labels[j]}: {rows:,} of {of:,} ({share(rows, of)})")
    side, look = grid.cell - 2 * inset, f"cell {'hit' if i == j else 'miss'}"
    opacity = f"{0.12 + 0.88 * part:.2f}"
    box = element("rect", said, x=x + inset, y=y + inset, width=side, height=side, class_=look, fill_opacity=opacity)
    if not grid.counts:
        return [box]
    middle, down = x + grid.cell / 2, y + grid.cell / 2 + grid.letters * 0.35
    strong = "count strong" if part > 0.5 else "count"
    return [box, element("text", f"{rows:,}", x=middle, y=down, text_anchor="middle", class_=strong)]


def _rule(x: Scale, y: Scale, tick: float) -> list[Markup]:
    parts = [
        element("line", x1=x.start, x2=x.end, y1=y(tick), y2=y(tick), class_="grid"),
        element("text", f"{tick:g}", x=x.start - 6, y=y(tick) + 3.5, text_anchor="end"),
    ]
    across = x.low + tick * (x.high - x.low)
    anchor = "end" if tick == 1 else "middle"
    return [*parts, element("text", f"{across:.3g}", x=x(across), y=280, text_anchor=anchor)]


def _column(b: Bin, tallest: int, x: Scale) -> Markup:
    height = max(1.0, 28 * b.rows / tallest)
    left = x(max(b.low, x.low))
    return element("rect", x=left + 1, y=264 - height, width=x(b.high) - left - 2, height=height, class_="histogram")
