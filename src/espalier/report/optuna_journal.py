"""A sweep's record as a journal of Optuna's: ``optuna-dashboard sweep-…/optuna.log`` and ``load_study`` open it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from espalier.core.distributions import Parameter, Parameters
from espalier.core.record import TrialRecord, read_events
from espalier.core.searching import Dimension, Space, identity
from espalier.report.sweep_read import Sweep, read_sweep
from espalier.report.sweep_study import quiet

JOURNAL = "optuna.log"
_DECADE = 10.0  # numbers above zero that span so much are looked at by their logarithm
_STATES = {
    "done": TrialState.COMPLETE,
    "paused": TrialState.PRUNED,
    "stopped": TrialState.PRUNED,
    "infeasible": TrialState.FAIL,
    "failed": TrialState.FAIL,
    "running": TrialState.RUNNING,
    "planned": TrialState.WAITING,
}


def write_journal(directory: Path, to: Path | None = None, space: Space | None = None) -> Path:
    """Write the journal anew, from the record: a trial of ours is the trial of the same number there.

    Args:
        directory: of the sweep.
        to: the file; ``optuna.log`` in the directory if not given.
        space: what was searched; if not given, what the trials have had of it.

    Raises:
        UserError: it is no sweep's directory.
    """
    sweep = read_sweep(directory)
    file = to or directory / JOURNAL
    file.unlink(missing_ok=True)
    named = Parameters(space).of if space else _Recorded(sweep.trials).of
    times = _times(directory)
    known = {trial.trial: trial for trial in sweep.trials}
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(file))),
            study_name=sweep.name,
            directions=["minimize" if one.direction == "min" else "maximize" for one in sweep.objectives],
        )
        study.set_metric_names([one.name for one in sweep.objectives])
        frozen = []
        for number in range(max(known, default=-1) + 1):
            trial = known.get(number)
            if trial is None:  # numbers are without gaps there
                frozen.append(optuna.create_trial(state=TrialState.FAIL))
            else:
                frozen.append(_frozen(trial, known, named(trial.point), times.get(number, []), sweep))
        study.add_trials(frozen)
    return file


def _frozen(
    trial: TrialRecord,
    known: Mapping[int, TrialRecord],
    parameters: Mapping[str, Parameter],
    times: Sequence[float],
    sweep: Sweep,
) -> FrozenTrial:
    told = known.get(trial.same_as, trial) if trial.same_as is not None else trial
    state = _STATES.get(told.state, TrialState.FAIL)
    whole = len(told.values) == len(sweep.objectives) and all(map(_is_finite, told.values))
    if state is TrialState.COMPLETE and not whole:
        state = TrialState.FAIL
    rungs = {validations: value for validations, value in told.rungs if value is not None}
    made = optuna.create_trial(
        state=state,
        values=list(told.values) if state is TrialState.COMPLETE else None,
        params={name: p.encoded(trial.point[p.dimension.key]) for name, p in parameters.items()},
        distributions={name: p.distribution for name, p in parameters.items()},
        user_attrs=_said(trial, told),
        intermediate_values=rungs if len(sweep.objectives) == 1 else {},
    )
    if times and made.datetime_start:
        made.datetime_start = datetime.fromtimestamp(times[0])
    if times and made.datetime_complete:
        made.datetime_complete = datetime.fromtimestamp(times[-1])
    return made


def _said(trial: TrialRecord, told: TrialRecord) -> dict[str, Any]:
    """What the record says beside, without what is empty."""
    said = {
        "name": trial.name,
        "seed": trial.seed,
        "configuration": trial.configuration,
        "state": trial.state,
        "same_as": trial.same_as,
        "why": told.why,
        "slot": told.slot,
        **{key: value for key, value in (told.metrics or {}).items() if _is_finite(value)},
        **{f"cost.{key}": value for key, value in (told.cost or {}).items()},
    }
    return {key: value for key, value in said.items() if value not in ("", None)}


class _Recorded:
    """Parameters by what trials have had, where the space is not known."""

    def __init__(self, trials: Sequence[TrialRecord]) -> None:
        had: dict[str, dict[str, Any]] = {}
        for trial in trials:
            for key, value in trial.point.items():
                had.setdefault(key, {})[identity({key: value})] = value
        self._parameters = {key: Parameter(key, _dimension(key, list(values.values()))) for key, values in had.items()}

    def of(self, point: Mapping[str, Any]) -> dict[str, Parameter]:
        return {key: self._parameters[key] for key in point}


def _dimension(key: str, values: Sequence[Any]) -> Dimension:
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return Dimension(key, tuple(values))
    low, high = min(values), max(values)
    whole = all(isinstance(value, int) for value in values)
    return Dimension(key, (), low, high, log=low > 0 and high / low >= _DECADE, whole=whole)


def _times(directory: Path) -> dict[int, list[float]]:
    """When each trial was first placed, and its last event."""
    times: dict[int, list[float]] = {}
    for event in read_events(directory):
        number = int(event["trial"])
        if number in times or event["event"] == "running":
            times.setdefault(number, []).append(float(event["at"]))
    return times


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
