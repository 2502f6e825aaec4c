"""Do early values tell the final ones? Rank correlation at each rung among trials that have both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from espalier.core.record import TrialRecord, trial_directory
from espalier.core.trial import read_trial
from espalier.report.sweep_read import Sweep, outcome_of_trial, value_of

TRUSTED = 0.6  # a rank correlation below it: a rule that cuts there cuts good trials too
FEWEST = 5  # trials, below which a correlation says nothing
_RUNGS = 8

Progress = Mapping[int, Sequence[float]]  # trial -> its objective after each validation, in order


@dataclass(frozen=True)
class EarlyAndFinal:
    """How the order of trials after some validations agrees with the final order.

    Attributes:
        correlation: Spearman's; None where fewer than ``FEWEST`` trials have both, or all are equal.
        stopped: trials that went no further.
    """

    validations: int
    trials: int
    correlation: float | None
    stopped: int

    @property
    def doubtful(self) -> bool:
        """Whether the early order says too little of the final one."""
        return self.correlation is not None and self.correlation < TRUSTED


def early_and_final(sweep: Sweep, progress: Progress) -> list[EarlyAndFinal]:
    """For each rung that trials were asked at; without a pruning rule, for validations spread over the whole."""
    asked = _asked(sweep)
    final = {trial.trial: number for trial in sweep.trials if (number := _final(sweep, trial, asked)) is not None}
    early = _early(sweep, progress, asked)
    rows = []
    for rung in _rungs(sweep, progress):
        both = [(number, final[trial]) for trial, number in early.get(rung, {}).items() if trial in final]
        stopped = sum(
            1
            for trial in sweep.trials
            if trial.state in ("paused", "stopped") and trial.rungs and trial.rungs[-1][0] == rung
        )
        rows.append(EarlyAndFinal(rung, len(both), spearman(both) if len(both) >= FEWEST else None, stopped))
    return [row for row in rows if row.trials or row.stopped]


def spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Rank correlation, ties at their mean rank; None where one side is all the same."""
    table = np.array(pairs, dtype=float)
    first, second = _ranks(table[:, 0]), _ranks(table[:, 1])
    if not first.std() or not second.std():
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    _, place, times = np.unique(numbers, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[place].astype(np.float64)


def _asked(sweep: Sweep) -> str:
    """The metric that trials asked with at their rungs; empty where none says."""
    for trial in sweep.trials if any(trial.rungs for trial in sweep.trials) else ():
        directory = trial_directory(sweep.directory, trial.trial)
        with suppress(OSError, ValueError, TypeError, KeyError):
            if (own := read_trial(directory)) and own.objective:
                return own.objective
        if (outcome := outcome_of_trial(sweep.directory, trial.trial)) and outcome.objective:
            return outcome.objective
    return ""


def _final(sweep: Sweep, trial: TrialRecord, asked: str) -> float | None:
    """The objective that curves are of; where all are costs, which have none, what was asked with."""
    if sweep.followed is not None:
        return value_of(trial, sweep.followed)
    return (trial.metrics or {}).get(asked) if trial.state == "done" else None


def _early(sweep: Sweep, progress: Progress, asked: str) -> dict[int, dict[int, float]]:
    """Validations -> trial -> value: what was recorded at rungs, and what the curves say of the others.

    A rule may have asked for another metric than the objective: then the curves say all.
    """
    early: dict[int, dict[int, float]] = {}
    for trial, values in progress.items():
        for i, number in enumerate(values, 1):
            if math.isfinite(number):
                early.setdefault(i, {})[trial] = number
    other = asked and sweep.followed is not None and asked != sweep.objectives[sweep.followed].name
    for one in sweep.trials if not other else ():
        for rung, recorded in one.rungs:
            if recorded is not None and math.isfinite(recorded):
                early.setdefault(rung, {})[one.trial] = recorded
    return early


def _rungs(sweep: Sweep, progress: Progress) -> list[int]:
    asked = sorted({rung for trial in sweep.trials for rung, _ in trial.rungs})
    longest = max(map(len, progress.values()), default=0)
    if asked or longest < 2:
        return asked
    return sorted({max(1, round(longest * i / (_RUNGS + 1))) for i in range(1, _RUNGS + 1)} - {longest})
