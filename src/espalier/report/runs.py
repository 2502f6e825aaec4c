"""``espalier runs``: a table of runs. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.trial import read_trial
from espalier.report.layout import aligned, cut, fits, terminal_width, width_of
from espalier.report.quantities import duration, metric_name, moment, value
from espalier.report.scores import objective_name

_HEAD = ("when", "name", "status", "seed", "metric", "val.", "test", "took")
_NAME, _NUMBERS = 1, (3, 5, 6, 7)
_GAP = 2
_SHORTEST_NAME = 6
_TOLD_ELSEWHERE = ("seed=", "name=", "output=")  # words that other columns say


@dataclass(frozen=True)
class ListedRun:
    """A run directory as it is listed.

    Attributes:
        directory: as it is to be shown and typed.
        gone: the status says ``running`` but the process is not there any more.
    """

    directory: Path
    outcome: Outcome
    gone: bool = False

    @property
    def status(self) -> str:
        """The outcome's, or ``killed``."""
        return "killed" if self.gone and self.outcome.status == "running" else self.outcome.status

    @property
    def changed(self) -> list[str]:
        """The words by which it differs from the defaults; of a sweep's trial, from the sweep's others."""
        trial = read_trial(self.directory)
        words = trial.words if trial else [str(word) for word in self.outcome.summary.get("overrides", [])]
        return [word for word in words if not word.startswith(_TOLD_ELSEWHERE)]

    @property
    def is_trial(self) -> bool:
        """Whether a ``debug`` option was chosen: its figures say nothing."""
        return bool(self.outcome.summary.get("options", {}).get("debug"))


def so_far(run: ListedRun) -> ListedRun:
    """The run; of one that has not come to its end, with the best validation value there was until now."""
    outcome = run.outcome
    if outcome.metrics or not outcome.objective:
        return run
    logged = [float(line[outcome.objective]) for line in read_metrics(run.directory / "metrics.jsonl")
              if outcome.objective in line]  # fmt: skip
    values = [number for number in logged if not math.isnan(number)] or logged  # NaN is neither more nor less
    best = min(values, default=None) if outcome.direction == "min" else max(values, default=None)
    return run if best is None else replace(run, outcome=replace(outcome, metrics={outcome.objective: best}))


def runs_table(runs: Sequence[ListedRun], width: int | None = None) -> list[str]:
    """A line for each run, in the order given; its directory and what was changed stand beneath where it is full."""
    if not runs:
        return []
    width = terminal_width() if width is None else width
    cells = [_HEAD, *map(_cells, runs)]
    places = [("changed", "directory"), *zip(_changed(runs), map(str, (run.directory for run in runs)), strict=True)]
    beside = aligned([(*row, *place) for row, place in zip(cells, places, strict=True)], _NUMBERS, _GAP)
    if fits(beside, width):
        return beside
    head, *lines = aligned(_shortened(cells, width), _NUMBERS, _GAP)
    beneath = [_beneath(*place, width) for place in places[1:]]
    return [head, *(part for line, more in zip(lines, beneath, strict=True) for part in (line, *more))]


def _changed(runs: Sequence[ListedRun]) -> list[str]:
    """What was changed, that which all runs of the list have in common last: a line that is cut tells them apart."""
    words = [run.changed for run in runs]
    common = set(words[0]).intersection(*words[1:]) if len(words) > 1 else set()
    return [" ".join(sorted(own, key=common.__contains__)) for own in words]


def _cells(run: ListedRun) -> tuple[str, ...]:
    outcome = run.outcome
    metric = objective_name(outcome)
    return (
        moment(outcome.started),
        f"debug: {outcome.name}" if run.is_trial else outcome.name,
        run.status,
        str(outcome.seed),
        metric_name(metric),
        _metric(outcome, outcome.objective),
        _metric(outcome, f"test/{metric}"),
        duration(outcome.cost.wall_seconds) if outcome.cost.wall_seconds else "–",
    )


def _metric(outcome: Outcome, key: str) -> str:
    return value(float(outcome.metrics[key])) if key in outcome.metrics else "–"


def _beneath(changed: str, directory: str, width: int) -> list[str]:
    """The directory whole, so that it can be copied, and what was changed beside it or on a line of its own."""
    both = f"  {directory}" + (f"  {changed}" if changed else "")
    return [both] if width_of(both) <= width else [f"  {directory}", f"  {cut(changed, width - 2)}"]


def _shortened(cells: Sequence[Sequence[str]], width: int) -> list[tuple[str, ...]]:
    """With names cut to what the other columns leave; a directory that stands beneath holds the whole name."""
    others = [max(map(width_of, column)) + _GAP for i, column in enumerate(zip(*cells, strict=True)) if i != _NAME]
    room = max(_SHORTEST_NAME, width - sum(others))
    return [(*row[:_NAME], cut(row[_NAME], room), *row[_NAME + 1 :]) for row in cells]
