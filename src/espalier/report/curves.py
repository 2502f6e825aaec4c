"""``metrics.jsonl`` -> the charts of a run: which metrics share one, thinned so that a long run stays readable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_POINTS = 240  # of a line; more are averaged
_CHARTS = 6
_FIRST = ("loss", "accuracy", "f1_macro", "auroc", "ece")
_OTHERS_NAMES = ("_micro", "_weighted", "precision_", "recall_")  # relatives of accuracy and F1; they stay in the file


@dataclass(frozen=True)
class Point:
    """A value at a step; ``low`` and ``high`` are the extremes of the values that it is the mean of."""

    step: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        split: what it is of; the name of a run where several are compared.
        gaps: how many values were not finite, ``gap_step`` the first of their steps.
        look: the class that colours it; ``""``: by its split.
    """

    split: str
    points: Sequence[Point]
    gaps: int = 0
    gap_step: int = 0
    look: str = ""


@dataclass(frozen=True)
class Curve:
    """A chart: a metric's name and its lines, one for each split."""

    name: str
    series: Sequence[Series]


def curves_of(records: Sequence[Mapping[str, Any]], objective: str) -> list[Curve]:
    """The charts worth looking at: loss, the objective, then the others; at most six.

    Args:
        records: lines of metrics.jsonl as ``core.metrics_file.read_metrics`` gives them.
        objective: ``validation/accuracy``: drawn second, whatever it is.
    """
    charts: dict[str, list[Series]] = {}
    for key in dict.fromkeys(key for record in records for key in record if key not in ("step", "epoch")):
        split, _, name = key.rpartition("/")
        raw = [(int(record["step"]), float(record[key])) for record in records if key in record]
        charts.setdefault(name, []).append(series_of(split, raw))
    return [Curve(name, charts[name]) for name in _chosen(list(charts), objective.rpartition("/")[2])]


def best_point(records: Sequence[Mapping[str, Any]], key: str, direction: str) -> Point | None:
    """The best value of ``validation/accuracy``, say, and its step, by ``max`` or ``min``; None where there is none."""
    found = [(int(line["step"]), float(line[key])) for line in records if key in line and math.isfinite(line[key])]
    sign = -1 if direction == "min" else 1
    return _mean([max(found, key=lambda one: sign * one[1])]) if found else None


def _chosen(names: Sequence[str], objective: str) -> list[str]:
    first = [name for name in dict.fromkeys((_FIRST[0], objective, *_FIRST)) if name in names]
    others = [name for name in names if name not in first and not any(part in name for part in _OTHERS_NAMES)]
    others.sort(key=lambda name: name.startswith("lr"))
    return [*first, *others][:_CHARTS]


def series_of(split: str, raw: Sequence[tuple[int, float]], look: str = "") -> Series:
    """A line through (step, value) pairs in order of steps; long ones are thinned by averaging."""
    finite = [(step, number) for step, number in raw if math.isfinite(number)]
    lost = [step for step, number in raw if not math.isfinite(number)]
    size = math.ceil(len(finite) / _POINTS) or 1
    points = [_mean(finite[start : start + size]) for start in range(0, len(finite), size)]
    return Series(split, points, len(lost), lost[0] if lost else 0, look)


def _mean(part: Sequence[tuple[int, float]]) -> Point:
    values = [number for _, number in part]
    return Point(sum(step for step, _ in part) / len(part), sum(values) / len(values), min(values), max(values))
