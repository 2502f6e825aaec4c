"""Run directories that a command names, as they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from espalier.config.saved import read
from espalier.core.errors import Fault, UserError
from espalier.core.masking import masked
from espalier.core.record import BEST, RECORD
from espalier.core.rundir import is_gone, read_outcome, shown, typed
from espalier.report.comparison import ComparedRun
from espalier.report.runs import ListedRun, so_far


def compared(directories: Sequence[Path]) -> list[ComparedRun]:
    """Read them; of a run that has not ended, with its best values so far. A directory that is named twice is one.

    Of a sweep it is its best trial, the one that was tested.

    Raises:
        UserError: with a fault for each that is no run directory, and for each sweep that has no best trial yet.
    """
    runs: list[ComparedRun] = []
    faults: list[Fault] = []
    for directory in dict.fromkeys(_run_of(given).resolve() for given in directories):
        try:
            if (directory / RECORD).exists():
                remedy = f"Let it come to its end, or name trials of it:  {typed('sweep status', directory)}"
                raise UserError(Fault(str(shown(directory)), "is a sweep that has no best trial yet.", remedy))
            outcome = read_outcome(directory)
            run = so_far(ListedRun(directory, outcome, is_gone(directory, outcome)))
            config = masked(read(directory).values)
            runs.append(ComparedRun(directory, shown(directory), run.outcome, config, run.status))
        except UserError as error:
            faults += error.faults
    if faults:
        raise UserError(*faults)
    return runs


def _run_of(directory: Path) -> Path:
    best = directory / BEST
    return best if (directory / RECORD).exists() and best.exists() else directory
