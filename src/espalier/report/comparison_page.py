"""A page that shows several runs side by side: one file, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from espalier.core.files import write_atomic
from espalier.report.charts import line_chart
from espalier.report.comparison import Side, costs_of, curve_keys, differences, history, legends, metrics_of
from espalier.report.comparison_lines import COSTS, difference_words, verdicts_of
from espalier.report.curves import Curve, series_of
from espalier.report.html import environment

_LOOKS = 6  # colours, after which they begin again


def write_comparison(sides: Sequence[Side], to: Path) -> Path:
    """Write the page; returns its path."""
    page = (
        environment()
        .get_template("comparison.html.j2")
        .render(
            sides=sides,
            legends=legends(sides),
            looks=[_look(i) for i in range(len(sides))],
            differences=differences(sides),
            metrics=metrics_of(sides),
            difference=difference_words,
            verdicts=verdicts_of(sides),
            costs=costs_of(sides),
            cost=COSTS,
            charts=[(key, chart) for key in curve_keys(sides) if (chart := _overlaid(sides, key))],
        )
    )
    write_atomic(to, page)
    return to


def _overlaid(sides: Sequence[Side], key: str) -> Markup | None:
    """A line for each run, in its side's colour."""
    series = [series_of(side.letter, history(run, key), _look(i)) for i, side in enumerate(sides) for run in side.runs]
    curve = Curve(key, [one for one in series if one.points])
    return line_chart(curve) if curve.series else None


def _look(i: int) -> str:
    return f"run-{i % _LOOKS + 1}"
