"""The metrics of an outcome as rows: test with its interval, validation beside it. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from espalier.core.outcome import Outcome

LEADING = ("accuracy", "f1_macro", "auroc", "ece")
_ACCURACY_AGAIN = ("precision_micro", "recall_micro", "f1_micro", "recall_weighted")


@dataclass(frozen=True)
class MetricRow:
    """A metric of the best checkpoint. ``name`` is without its split; what is not known is None.

    ``judged`` and its ``bounds`` are of the test rows, and ``baseline`` is what a simple model reaches on them; all of
    the validation rows, where nothing was tested.
    """

    name: str
    test: float | None
    bounds: tuple[float, float] | None
    validation: float | None
    baseline: float | None = None
    judged: float | None = None


def metric_rows(outcome: Outcome) -> list[MetricRow]:
    """Every metric once: the objective first, losses last; averages that are the accuracy are left out."""
    names = dict.fromkeys(key.partition("/")[2] for key in outcome.metrics if key.startswith(("test/", "validation/")))
    chosen = [name for name in names if name not in repeated_names(outcome.metrics)]
    chosen.sort(key=lambda name: (name != objective_name(outcome), "loss" in name))
    return [row_of(outcome, name) for name in chosen]


def leading_rows(outcome: Outcome, at_most: int) -> list[MetricRow]:
    """The few that are said first: the objective, then accuracy, F1, AUROC, ECE, else the task's own."""
    rows = {row.name: row for row in metric_rows(outcome)}
    own = [] if any(name in rows for name in LEADING) else list(rows)
    names = [name for name in dict.fromkeys((objective_name(outcome), *LEADING, *own)) if name in rows]
    return [rows[name] for name in names[:at_most]]


def repeated_names(metrics: Mapping[str, float]) -> list[str]:
    """Averages that equal the accuracy (with one label a row they do) and so would only say it again."""

    def same(name: str) -> bool:
        splits = [split for split in ("test", "validation") if f"{split}/{name}" in metrics]
        return bool(splits) and all(_alike(metrics, f"{s}/{name}", f"{s}/accuracy") for s in splits)

    return [name for name in _ACCURACY_AGAIN if same(name)]


def _alike(metrics: Mapping[str, float], one: str, other: str) -> bool:
    return other in metrics and math.isclose(float(metrics[one]), float(metrics[other]), abs_tol=1e-6)


def objective_name(outcome: Outcome) -> str:
    """``validation/f1_macro`` -> ``f1_macro``."""
    return outcome.objective.rpartition("/")[2]


def row_of(outcome: Outcome, name: str) -> MetricRow:
    """One metric of an outcome."""
    test, validation = (_number(outcome, f"{split}/{name}") for split in ("test", "validation"))
    key = f"{judged_split(outcome)}/{name}"
    judged = _number(outcome, key)
    return MetricRow(name, test, outcome.intervals.get(key), validation, _baseline(outcome, key), judged)


def judged_split(outcome: Outcome) -> str:
    """``test``; ``validation`` where nothing was tested."""
    return "test" if any(key.startswith("test/") for key in outcome.metrics) else "validation"


def _baseline(outcome: Outcome, key: str) -> float | None:
    metrics = outcome.summary.get("baseline", {}).get("metrics", {})
    number = metrics.get(key, metrics.get(key.partition("/")[2]))
    return None if number is None else float(number)


def _number(outcome: Outcome, key: str) -> float | None:
    return float(outcome.metrics[key]) if key in outcome.metrics else None  # JSON holds what is not finite as a string
