"""``espalier runs``: sweeps, a line each, from their summaries alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espalier.report.layout import aligned, cut, fits, terminal_width, width_of
from espalier.report.quantities import moment
from espalier.report.sweep_lines import best_words
from espalier.report.sweep_read import read_summary, status_of

_HEAD = ("when", "sweep of", "status", "done", "failed", "best")
_NUMBERS = (3, 4)
_GAP = 2
_NONE = "–"


@dataclass(frozen=True)
class ListedSweep:
    """A sweep as it is listed.

    Attributes:
        directory: as it is to be shown and typed.
        name: of its experiment.
    """

    directory: Path
    name: str
    status: str
    summary: Mapping[str, Any]

    @staticmethod
    def of(directory: Path, shown: Path) -> ListedSweep:
        """Read it; what its summary does not say is left open."""
        summary = read_summary(directory)
        return ListedSweep(shown, directory.resolve().parent.name, status_of(directory, summary), summary)


def sweeps_table(sweeps: Sequence[ListedSweep], width: int | None = None) -> list[str]:
    """A line for each sweep, in the order given; its directory stands beneath where that is full."""
    if not sweeps:
        return []
    width = terminal_width() if width is None else width
    cells = [_HEAD, *map(_cells, sweeps)]
    places = ["directory", *(str(sweep.directory) for sweep in sweeps)]
    beside = aligned([(*row, place) for row, place in zip(cells, places, strict=True)], _NUMBERS, _GAP)
    if fits(beside, width):
        return beside
    others = aligned([row[:-1] for row in cells], _NUMBERS, _GAP)
    room = width - max(map(width_of, others)) - _GAP
    head, *lines = aligned([(*row[:-1], cut(row[-1], max(room, 12))) for row in cells], _NUMBERS, _GAP)
    return [head, *(part for line, place in zip(lines, places[1:], strict=True) for part in (line, f"  {place}"))]


def _cells(sweep: ListedSweep) -> tuple[str, ...]:
    counts = sweep.summary.get("counts") or {}
    total = sweep.summary.get("total")
    done, failed = int(counts.get("done", 0)), int(counts.get("failed", 0)) + int(counts.get("infeasible", 0))
    return (
        moment(str(sweep.summary.get("started") or "")) or _NONE,
        sweep.name,
        sweep.status,
        f"{done:,}" + (f"/{int(total):,}" if total else ""),
        f"{failed:,}" if failed else _NONE,
        best_words(sweep.summary) or _NONE,
    )
