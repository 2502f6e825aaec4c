"""A metric's lines over the steps, and an interval on a common axis."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from espalier.report.curves import Curve, Point, Series
from espalier.report.quantities import metric_name, value
from espalier.report.svg import Scale, element, path, picture, ticks

_WIDTH, _HEIGHT = 340.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 10.0, 24.0
_DOTS = 40  # a validation line of at most so many points shows them


def line_chart(curve: Curve, best: Point | None = None) -> Markup:
    """Lines by step; where points are means of many values, a band shows their extremes.

    Args:
        best: a point to mark.
    """
    points = [point for series in curve.series for point in series.points]
    x = Scale(0.0, max(point.step for point in points), _LEFT, _WIDTH - _RIGHT)
    low, high = _range(points)
    y = Scale(low, high, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_axes(x, y), *(mark for series in curve.series if series.points for mark in _line(series, x, y))]
    if best:
        parts.append(element("circle", cx=x(best.step), cy=y(best.value), r=5, class_="best"))
    splits = " and ".join(series.split or curve.name for series in curve.series)
    return picture(_WIDTH, _HEIGHT, f"{metric_name(curve.name)} by step: {splits}", parts, "chart")


def whisker(number: float, bounds: tuple[float, float] | None) -> Markup:
    """A value between 0 and 1 as a dot on a line, its interval as a bar."""
    x = Scale(0.0, 1.0, 4.0, 116.0)
    parts = [element("line", x1=x(0), x2=x(1), y1=8, y2=8, class_="grid")]
    if bounds:
        parts.append(element("line", x1=x(bounds[0]), x2=x(bounds[1]), y1=8, y2=8, class_="interval"))
    parts.append(element("circle", cx=x(number), cy=8, r=3.5, class_="dot"))
    return picture(120.0, 16.0, "on a line from 0 to 1", parts, "whisker")


def _range(points: Sequence[Point]) -> tuple[float, float]:
    low, high = min(point.low for point in points), max(point.high for point in points)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 0.5
    return (0.0 if 0 <= low < margin * 3 else low - margin), high + margin


def _axes(x: Scale, y: Scale) -> list[Markup]:
    parts = []
    for tick in ticks(y.low, y.high):
        parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(tick), y2=y(tick), class_="grid"))
        parts.append(element("text", _tick(tick), x=_LEFT - 6, y=y(tick) + 3.5, text_anchor="end"))
    for tick in (tick for tick in ticks(x.low, x.high) if tick == int(tick)):
        anchor = "end" if x(tick) > _WIDTH - _RIGHT - 14 else "middle"
        parts.append(element("text", f"{int(tick):,}", x=x(tick), y=_HEIGHT - 6, text_anchor=anchor))
    return parts


def _tick(number: float) -> str:
    if 0 < abs(number) < 0.0005 or abs(number) >= 100_000:
        digits, power = f"{number:.1e}".split("e")
        return f"{digits.removesuffix('.0')}e{int(power)}"
    return f"{number:g}"


def _line(series: Series, x: Scale, y: Scale) -> list[Markup]:
    name = f"series {series.look or (series.split if series.split in ('train', 'validation') else '')}".rstrip()
    places = [(x(point.step), y(point.value)) for point in series.points]
    parts = []
    if any(point.high > point.low for point in series.points):
        above = [(x(point.step), y(point.high)) for point in series.points]
        below = [(x(point.step), y(point.low)) for point in reversed(series.points)]
        parts.append(element("path", d=path(above + below, closed=True), class_=f"band {name}"))
    parts.append(element("path", d=path(places), class_=f"line {name}"))
    if len(places) == 1 or (len(places) <= _DOTS and (series.look or series.split == "validation")):
        for (cx, cy), point in zip(places, series.points, strict=True):
            said = element("title", f"step {point.step:,.0f}: {value(point.value)}")
            parts.append(element("circle", said, cx=cx, cy=cy, r=2.5, class_=f"point {name}"))
    return parts
