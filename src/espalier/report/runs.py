"""``espalier runs``: what was run, newest first. Standard library only; quick to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from espalier.core.outcome import Outcome
from espalier.report.layout import aligned, cut, fits, terminal_width, width_of
from espalier.report.quantities import duration, metric_name, moment, value
from espalier.report.scores import objective_name

_HEAD = ("when", "name", "status", "metric", "val.", "test", "took")
_NAME, _NUMBERS = 1, (4, 5, 6)
_GAP = 2
_SHORTEST_NAME = 8


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


def runs_table(runs: Sequence[ListedRun], width: int | None = None) -> list[str]:
    """A line for each run, newest first; its directory stands beside where that fits, else beneath."""
    if not runs:
        return ["nothing was run yet:  espalier train"]
    width = terminal_width() if width is None else width
    newest = sorted(runs, key=lambda run: (run.outcome.started, str(run.directory)), reverse=True)
    cells = [_HEAD, *map(_cells, newest)]
    places = ["directory", *(str(run.directory) for run in newest)]
    beside = aligned([(*row, place) for row, place in zip(cells, places, strict=True)], _NUMBERS, _GAP)
    if fits(beside, width):
        return beside
    head, *lines = aligned(_shortened(cells, width), _NUMBERS, _GAP)
    return [head, *(part for line, place in zip(lines, places[1:], strict=True) for part in (line, f"  {place}"))]


def _cells(run: ListedRun) -> tuple[str, ...]:
    outcome = run.outcome
    metric = objective_name(outcome)
    return (
        moment(outcome.started),
        outcome.name,
        run.status,
        metric_name(metric),
        _metric(outcome, outcome.objective),
        _metric(outcome, f"test/{metric}"),
        duration(outcome.cost.wall_seconds) if outcome.cost.wall_seconds else "–",
    )


def _metric(outcome: Outcome, key: str) -> str:
    return value(float(outcome.metrics[key])) if key in outcome.metrics else "–"


def _shortened(cells: Sequence[Sequence[str]], width: int) -> list[tuple[str, ...]]:
    """With names cut to what the other columns leave; a directory that stands beneath holds the whole name."""
    others = [max(map(width_of, column)) + _GAP for i, column in enumerate(zip(*cells, strict=True)) if i != _NAME]
    room = max(_SHORTEST_NAME, width - sum(others))
    return [(*row[:_NAME], cut(row[_NAME], room), *row[_NAME + 1 :]) for row in cells]
