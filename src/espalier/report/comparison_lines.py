"""``espalier compare`` in the terminal: what differs, what came of it, what it cost."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence

from espalier.report.comparison import (
    Figure,
    Row,
    Side,
    against_first,
    costs_of,
    count_alike,
    curve_keys,
    differences,
    history,
    metrics_of,
)
from espalier.report.layout import aligned, cut, fits, terminal_width
from espalier.report.over_seeds import Gap, gap_verdict
from espalier.report.paired import Paired, verdict
from espalier.report.quantities import duration, interval, memory, metric_name, parameters, value, with_spread

_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK = 32  # characters of a curve
_VALUE = 40  # of a setting
_NONE = "–"
COSTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "wall_seconds": ("from start to end", duration),
    "device_seconds": ("device time", duration),
    "samples_per_second": ("samples a second", lambda number: f"{number:,.0f}" if number >= 9.5 else f"{number:.1f}"),
    "peak_memory_bytes": ("memory at the peak", lambda number: memory(round(number))),
    "trained_parameters": ("trained parameters", lambda number: parameters(round(number))),
}


def comparison_lines(sides: Sequence[Side], width: int | None = None) -> list[str]:
    """The whole of it; sides are named by letters, of which the first lines say what they are."""
    width = terminal_width() if width is None else width
    letters = [side.letter for side in sides]
    blocks = [_who(sides)]
    if unlike := differences(sides):
        rows = [(key, *(cut(one, _VALUE) for one in said)) for key, said in unlike]
        blocks.append(aligned([("set differently", *letters), *rows]))
    if metrics := metrics_of(sides):
        blocks.append(_metrics(metrics, letters, width))
    if verdicts := verdicts_of(sides):
        blocks.append(verdicts)
    if costs := costs_of(sides):
        rows = [(COSTS[row.name][0], *(_cost(row.name, figure) for figure in row.figures)) for row in costs]
        blocks.append(aligned([("cost", *letters), *rows], range(1, len(letters) + 1)))
    blocks += [lines for key in curve_keys(sides) if (lines := _curves(sides, key))]
    return [line for block in blocks for line in (*block, "")][:-1]


def verdicts_of(sides: Sequence[Side]) -> list[str]:
    """For each further side, a sentence on whether it is better than the first on the same rows, or why none."""
    return [
        line
        for side, found in against_first(sides)
        if sides[0].first.outcome.metrics and side.first.outcome.metrics and (_tested(sides[0]) or _tested(side))
        for line in ([_said(found, sides[0], side)] if found else _unpaired(sides[0], side))
    ]


def _said(found: Paired | Gap, a: Side, b: Side) -> str:
    return gap_verdict(found, a.letter, b.letter) if isinstance(found, Gap) else verdict(found, a.letter, b.letter)


def _unpaired(a: Side, b: Side) -> list[str]:
    """Why there is no paired test; and, of two that can be tested on one set of rows, how."""
    first, second = a.first, b.first
    labels = [run.outcome.data.get("labels") for run in (first, second)]
    if counted := count_alike(first, second):
        why = f"{a.letter} and {b.letter} were tested on the same rows, and only their task can pair what it counted"
    else:
        why = f"{a.letter} and {b.letter} were not tested on the same rows: no paired test"
    if (not counted and (not labels[0] or labels[0] != labels[1])) or not first.status == second.status == "done":
        return [why]
    command = f"espalier evaluate run={shlex.quote(str(first.shown))} --against {shlex.quote(str(second.shown))}"
    return [why, f"{command}   " + ("tests them in pairs" if counted else "tests both on one set of rows")]


def _tested(side: Side) -> bool:
    """Trials of a sweep are not."""
    return any(name.startswith("test/") for name in side.first.outcome.metrics)


def figure_words(figure: Figure | None, bounds: bool = True) -> str:
    """``0.874 [0.858, 0.889]`` of one run, ``0.874 ± 0.004`` of several."""
    if figure is None:
        return _NONE
    if figure.deviation is not None:
        return with_spread(figure.mean, figure.deviation)
    return value(figure.mean) + (f" {interval(figure.bounds)}" if bounds and figure.bounds else "")


def difference_words(row: Row) -> str:
    """The second side minus the first, with its sign; ``""`` where it cannot be said."""
    first, second = row.figures
    if first is None or second is None:
        return ""
    difference = second.mean - first.mean
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return sign + value(abs(difference))


def sparklines(lines: Sequence[Sequence[float]], width: int = _SPARK) -> list[str]:
    """Rows of blocks on one scale; values that are not finite are dots. Longer rows are thinned by means."""
    thinned = [_thinned(line, width) for line in lines]
    finite = [number for line in thinned for number in line if math.isfinite(number)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    step = (high - low) / (len(_BLOCKS) - 1) or 1.0
    return ["".join(_BLOCKS[round((n - low) / step)] if math.isfinite(n) else "·" for n in line) for line in thinned]


def _thinned(values: Sequence[float], width: int) -> list[float]:
    size = math.ceil(len(values) / width) or 1
    return [sum(part) / len(part) for part in (values[i : i + size] for i in range(0, len(values), size))]


def _who(sides: Sequence[Side]) -> list[str]:
    rows = []
    for side in sides:
        for run in side.runs:
            outcome, first = run.outcome, run is side.first
            status = "" if run.status == "done" else run.status
            rows.append((side.letter if first else "", outcome.name, f"seed {outcome.seed}", str(run.shown), status))
    return aligned(rows)


def _metrics(rows: Sequence[Row], letters: Sequence[str], width: int) -> list[str]:
    two = len(letters) == 2
    head = ("", *letters, *([f"{letters[1]} − {letters[0]}"] if two else []))

    def table(bounds: bool) -> list[str]:
        said = [(_named(row.name), *(figure_words(f, bounds) for f in row.figures),
                 *([difference_words(row)] if two else [])) for row in rows]  # fmt: skip
        return aligned([head, *said], [len(head) - 1] if two else [])

    lines = table(bounds=True)
    return lines if fits(lines, width) else table(bounds=False)


def _named(key: str) -> str:
    return f"{key.partition('/')[0]} {metric_name(key)}"


def _cost(name: str, figure: Figure | None) -> str:
    return COSTS[name][1](figure.mean) if figure else _NONE


def _curves(sides: Sequence[Side], key: str) -> list[str]:
    found = [(side.letter, [number for _, number in history(side.first, key)]) for side in sides]
    logged = [(letter, values) for letter, values in found if values]
    drawn = sparklines([values for _, values in logged])
    rows = [(letter, line, f"{value(values[0])} → {value(values[-1])}")
            for (letter, values), line in zip(logged, drawn, strict=True)]  # fmt: skip
    return [_named(key), *(f"  {line}" for line in aligned(rows))] if rows else []
