"""A sweep's record as an Optuna study in memory, for its plots. Optuna is imported when one is built."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from espalier.report.provenance import yaml_words
from espalier.report.sweep_read import Objective, Sweep, value_of

if TYPE_CHECKING:
    import optuna

_DECADE = 10.0  # numbers above zero that span so much are looked at by their logarithm


class Shown(str):
    """A choice that plots show as it is typed: Optuna labels by ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Row:
    """A trial of a study: what was set, and what came of it; no values where it is not done."""

    number: int
    point: Mapping[str, Any]
    values: tuple[float, ...]


def configuration_rows(sweep: Sweep, objectives: Sequence[int]) -> list[Row]:
    """A row for each configuration that is done, with the means over its seeds."""
    rows = [
        Row(one.number, one.point, tuple(one.means[i] for i in objectives)) for one in sweep.configurations if one.done
    ]
    return sorted(rows, key=lambda row: row.number)


def trial_rows(sweep: Sweep, objectives: Sequence[int]) -> list[Row]:
    """A row for each trial that is done."""
    found = [(trial, [value_of(trial, i) for i in objectives]) for trial in sweep.trials]
    return [
        Row(trial.trial, trial.point, tuple(float(number) for number in numbers if number is not None))
        for trial, numbers in found
        if None not in numbers
    ]


def study_of(rows: Sequence[Row], objectives: Sequence[Objective], keys: Sequence[str]) -> optuna.Study:
    """A study whose trials bear the rows' numbers; what is missing between them counts as failed there.

    Args:
        rows: by number.
        objectives: of the rows' values.
        keys: of the points, that are its parameters; a point may lack some.
    """
    import optuna
    from optuna.trial import FrozenTrial, TrialState, create_trial

    with quiet():
        directions = ["minimize" if one.direction == "min" else "maximize" for one in objectives]
        study = optuna.create_study(directions=directions)
        had = {key: [row.point[key] for row in rows if key in row.point] for key in keys}
        spaces = {key: _distribution(values) for key, values in had.items() if values}
        known = {row.number: row for row in rows}
        trials: list[FrozenTrial] = []
        for number in range(max(known, default=-1) + 1):
            row = known.get(number)
            if row is None:
                trials.append(create_trial(state=TrialState.FAIL))
                continue
            used = [key for key in keys if key in row.point]
            params = {key: spaces[key][1](row.point[key]) for key in used}
            own = {key: spaces[key][0] for key in used}
            trials.append(create_trial(params=params, distributions=own, values=list(row.values)))
        study.add_trials(trials)
    return study


@contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's notes."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _distribution(values: Sequence[Any]) -> tuple[Any, Any]:
    """What a key's values lie in, and how each is told to Optuna: numbers as they are, all else by its words."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in values):
        low, high = min(values), max(values)
        log = is_log(values)
        if all(isinstance(one, int) for one in values):
            return IntDistribution(low, high, log=log), int
        return FloatDistribution(float(low), float(high), log=log), float
    unlike = {_mark(one): one for one in values}
    ordered = [unlike[mark] for mark in sorted(unlike, key=lambda mark: _place(unlike[mark]))]
    choices = list(dict.fromkeys(Shown(yaml_words(one)) for one in ordered))
    return CategoricalDistribution(choices), lambda one: Shown(yaml_words(one))


def is_log(numbers: Sequence[float]) -> bool:
    """Whether numbers are looked at by their logarithm: all above zero, and the largest ten times the smallest."""
    return min(numbers) > 0 and max(numbers) / min(numbers) >= _DECADE


def _mark(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _place(value: Any) -> tuple[bool, float, str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return not number, float(value) if number else 0.0, yaml_words(value)
