"""``espalier evaluate``: a model on some rows, or two models on the same rows; as lines and as plain values."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from espalier.core.counted import Counts, Difference, compared
from espalier.core.outcome import Outcome
from espalier.core.rundir import Place
from espalier.report.layout import aligned
from espalier.report.paired import Paired, p_words, paired, same_rows, verdict
from espalier.report.predictions import Answers
from espalier.report.quantities import count, interval, metric_name, value
from espalier.report.scores import MetricRow, metric_rows
from espalier.report.slices import Slice, slices_of, worst_slice

_SHOWN = 6  # slices of a kind in the terminal; all of them stand in evaluation.json
TABLES = ("predictions.parquet", "against.parquet")  # of an evaluation: what each side said, row by row
EVALUATION = "evaluation.json"
_SIDES = ("A", "B")


@dataclass(frozen=True)
class Evaluated:
    """A run's model on some rows.

    Attributes:
        run: its directory, as it is shown.
        outcome: of its training.
        split: whose rows: ``test``, ``validation``.
        origin: where the rows were taken from.
        fingerprint: of the rows.
        unit: what a row is.
        metrics, intervals: plain name -> value, 95% interval.
        answers: row by row, where the task has labels.
        counts: row by row, where the task's metrics are made of such.
        seen: rows whose input the model was trained on; None: unknown.
    """

    run: str
    outcome: Outcome
    split: str
    origin: str
    fingerprint: str
    unit: str
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    answers: Answers | None
    counts: Counts | None = None
    seen: int | None = None

    @property
    def size(self) -> int | None:
        """Rows that were answered, where that is known."""
        told = self.answers or self.counts
        return None if told is None else len(told.row)

    @property
    def labels(self) -> Sequence[str]:
        """Their names in index order."""
        known = self.outcome.data.get("labels", [])
        return known if isinstance(known, list) else []

    @property
    def slices(self) -> Mapping[str, list[Slice]]:
        """By the data's own columns, by length, by label; empty where there are no answers."""
        return slices_of(self.answers, self.labels) if self.answers and self.labels else {}

    def rows(self) -> list[MetricRow]:
        """The metrics, the objective first; those that would only repeat the accuracy are left out."""
        metrics = {f"test/{name}": number for name, number in self.metrics.items()}
        intervals = {f"test/{name}": bounds for name, bounds in self.intervals.items()}
        return metric_rows(replace(self.outcome, metrics=metrics, intervals=intervals))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        slices = self.slices
        worst = worst_slice(slices)
        return {
            "run": self.run,
            "split": self.split,
            "origin": self.origin,
            "fingerprint": self.fingerprint,
            "rows": self.size,
            "seen_in_training": self.seen,
            "metrics": {name: _json(number) for name, number in self.metrics.items()},
            "intervals": {name: [_json(end) for end in bounds] for name, bounds in self.intervals.items()},
            "slices": [asdict(one) for group in slices.values() for one in group],
            "weakest": asdict(worst) if worst else None,
        }


def evaluation_lines(found: Evaluated) -> list[str]:
    """The rows, those it was trained on, the metrics with their intervals, the slices, the weakest of them."""
    rows = "" if found.size is None else f"{count(found.size)} {found.unit}: "
    lines = [f"{found.run}   {rows}{found.origin} ({found.split})", *_seen({"this run": found}), ""]
    measured = found.rows()
    known = any(row.bounds for row in measured)
    cells = [
        (metric_name(row.name), _said(row.test), *([interval(row.bounds) if row.bounds else ""] if known else []))
        for row in measured
    ]
    lines += aligned([("", found.split, *(["95% interval"] if known else [])), *cells], right=[1])
    slices = found.slices
    if slices:
        lines += ["", *_slices(slices)]
    if worst := worst_slice(slices):
        said = f"{worst.of} {worst.name}: accuracy {value(worst.accuracy)} {interval((worst.low, worst.high))}"
        lines += ["", f"weakest   {said} on {count(worst.rows, 'row')}"]
    return lines


def against_lines(first: Evaluated, second: Evaluated) -> list[str]:
    """Both on the same rows: which is which, metrics and slices side by side, and the verdict."""
    rows = "" if first.size is None else f"{count(first.size)} {first.unit}: "
    lines = [f"{letter}   {one.run}" for letter, one in zip(_SIDES, (first, second), strict=True)]
    lines += [f"on {rows}{first.origin} ({first.split})", *_seen(dict(zip(_SIDES, (first, second), strict=True))), ""]
    other = {row.name: row for row in second.rows()}
    cells = [
        (metric_name(row.name), *_side(row), *_side(other[row.name]), _difference(row, other[row.name]))
        for row in first.rows()
        if row.name in other
    ]
    lines += aligned([("", "A", "95% interval", "B", "95% interval", "A − B"), *cells], right=[1, 3, 5])
    test = pairing(first, second)
    if test and first.answers and second.answers:
        lines += _slices_of_both(
            first, replace(second, outcome=first.outcome, answers=_told_apart_as(second.answers, first.answers))
        )
    if test:
        return [*lines, "", verdict(test, *_SIDES)]
    differences = differences_of(first, second)
    told = ["", *_differences(differences, first.outcome.objective.partition("/")[2])] if differences else []
    why = _untold(first, second, differences)
    return [*lines, *told, *(["", why] if why else [])]


def _seen(sides: Mapping[str, Evaluated]) -> list[str]:
    """Whose figures are too good to be believed, and by how many rows."""
    told = [f"{one.seen:,} of these rows stood in the training of {name}" for name, one in sides.items() if one.seen]
    return [f"seen   {'; '.join(told)}: what it remembers is no test of it"] if told else []


def pairing(first: Evaluated, second: Evaluated) -> Paired | None:
    """The paired test of accuracy; None where the answers are not those of the same rows with labels."""
    if first.answers is None or second.answers is None or not same_rows(first.answers, second.answers):
        return None
    return paired(first.answers, second.answers)


def place_of(directory: Path, rows: str, against: Path | None) -> Path:
    """The folder of an evaluation of a run on some rows, alone or against another run."""
    if against is None:
        return directory / "evaluations" / rows
    sweep = Place.of(against).sweep  # whose trials are numbered from 0, as those of all sweeps
    return directory / "evaluations" / f"{rows}-against-{f'{sweep.name}-' if sweep else ''}{against.name}"


def differences_of(first: Evaluated, second: Evaluated) -> dict[str, Difference]:
    """The paired bootstrap of every metric that both count, of the same things; empty where rows are not the same."""
    if first.counts is None or second.counts is None or not first.counts.same_rows(second.counts):
        return {}
    ones, others = first.counts, second.counts
    both = {name: metric for name, metric in ones.metrics.items() if name in others.counts}
    return {
        name: compared(metric, ones.of(name), others.of(name))
        for name, metric in both.items()
        if ones.same_weights(others, name)
    }


def _untold(first: Evaluated, second: Evaluated, tested: Container[str]) -> str:
    """Why metrics, or all of them, have no paired test; ``""`` where all have one."""
    if first.answers and second.answers:
        return "no paired test: these are not the same rows"
    if first.counts is None or second.counts is None:
        return "no paired test: these predictions have no labels"
    if not first.counts.same_rows(second.counts):
        return "no paired test: the two cut these texts into other rows"
    both = [name for name in first.counts.metrics if name in second.counts.counts]
    left = ", ".join(metric_name(name) for name in both if name not in tested)
    return f"no paired test of {left}: the two count other tokens" if left else ""


def _differences(found: Mapping[str, Difference], objective: str) -> list[str]:
    """A row for each metric, and whether the objective tells the two apart."""
    cells = [
        (metric_name(name), f"{one.difference:+.3f}", f"[{one.low:+.3f}, {one.high:+.3f}]", p_words(one.p_value))
        for name, one in found.items()
    ]
    lines = aligned([("paired bootstrap", "A − B", "95% interval", "p"), *cells], right=[1])
    if chosen := found.get(objective):
        said = "tells A and B apart" if chosen.told_apart else "does not tell A and B apart"
        lines += ["", f"{metric_name(objective)} {said}, p {p_words(chosen.p_value)}"]
    return lines


def against_dict(first: Evaluated, second: Evaluated) -> dict[str, Any]:
    """Plain values of a comparison, ready for JSON."""
    test = pairing(first, second)
    told = {**asdict(test), "verdict": verdict(test, *_SIDES)} if test else None
    differences = {name: asdict(one) for name, one in differences_of(first, second).items()}
    return {"A": first.as_dict(), "B": second.as_dict(), "paired": told, "differences": differences}


def _slices(slices: Mapping[str, list[Slice]]) -> list[str]:
    cells = [("slice", "", "rows", "accuracy", "95% interval")]
    for of, group in slices.items():
        # Quartiles of length in their order; of others the weakest.
        shown = group[:_SHOWN]
        cells += [(of, s.name, f"{s.rows:,}", value(s.accuracy), interval((s.low, s.high))) for s in shown]
        if len(group) > len(shown):
            cells.append((of, f"… {len(group) - len(shown)} better ones", "", "", ""))
    return aligned(cells, right=[2, 3])


def _slices_of_both(first: Evaluated, second: Evaluated) -> list[str]:
    """The first's slices: rows, and how often each of the two is right; they tell rows apart alike."""
    told = {(one.of, one.name): one.accuracy for group in second.slices.values() for one in group}
    cells = [("slice", "", "rows", "A", "B", "A − B")]
    for of, group in first.slices.items():
        for s in group[:_SHOWN]:
            other = told[of, s.name]
            cells.append((of, s.name, f"{s.rows:,}", value(s.accuracy), value(other), f"{s.accuracy - other:+.3f}"))
        if len(group) > _SHOWN:
            cells.append((of, f"… {len(group) - _SHOWN} better ones", "", "", "", ""))
    return ["", *aligned(cells, right=[2, 3, 4, 5])] if len(cells) > 1 else []


def _told_apart_as(answers: Answers, other: Answers) -> Answers:
    """With the lengths and slices of another model's answers to the same rows: another tokenizer counts otherwise."""
    place = np.empty(len(answers.row), np.int64)  # of each row among the other's
    place[np.argsort(answers.row, kind="stable")] = np.argsort(other.row, kind="stable")
    length = None if other.length is None else other.length[place]
    return replace(answers, length=length, slices={name: column[place] for name, column in other.slices.items()})


def _side(row: MetricRow) -> tuple[str, str]:
    return _said(row.test), interval(row.bounds) if row.bounds else ""


def _difference(one: MetricRow, other: MetricRow) -> str:
    if one.test is None or other.test is None or not math.isfinite(one.test - other.test):
        return ""
    return f"{one.test - other.test:+.3f}"


def _said(number: float | None) -> str:
    return "" if number is None else value(number)


def _json(number: float) -> float | str:
    return float(number) if math.isfinite(number) else str(number)  # JSON has no NaN
