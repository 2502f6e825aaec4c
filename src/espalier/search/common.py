"""What stands round an Optuna sampler: asked for points, told what became of them, rebuilt from a record.

Each proposal is drawn with a seed of its own (from the search's seed and the trial's number), so that it depends on
nothing but the record: a driver that takes over proposes what the first one would have.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib.util import find_spec
from random import Random
from typing import Any, ClassVar

import optuna
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from espalier.core.distributions import Parameter, Parameters
from espalier.core.errors import ConfigError, Fault
from espalier.core.searching import Point, Space, Told, all_points, combinations, count, identity

_STARTUP = 10  # trials that are drawn at random, where nobody says how many
_ASKED_AGAIN = 5  # times, where the sampler proposes what was tried already
_DIGITS = 5  # of numbers that are proposed
_MOST_LISTED = 100_000
_DIRECTIONS = {"max": "maximize", "min": "minimize"}


class OptunaSearch(ABC):
    """A search by one of Optuna's samplers.

    Attributes:
        needs: modules that the sampler imports beside Optuna's own.
        several: whether it searches for several objectives.
        ordered: whether choices that are numbers are taken by their place, for samplers of numbers only.
        learns: whether what it is told changes what it proposes.
    """

    needs: ClassVar[Sequence[str]] = ()
    several: ClassVar[bool] = True
    ordered: ClassVar[bool] = False
    learns: ClassVar[bool] = True

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._trials: dict[int, int] = {}  # our number -> Optuna's

    @abstractmethod
    def _sampler(self, seed: int) -> BaseSampler:
        """Optuna's sampler."""

    def faults(self, space: Space, /) -> list[Fault]:
        """What it needs and is not installed; a space without anything to search."""
        name = type(self).__module__.rpartition(".")[2]
        found: list[Fault] = []
        if missing := [module for module in self.needs if find_spec(module) is None]:
            remedy = "Install it:  pip install 'espalier[search]'"
            found.append(Fault(f"search={name}", f"needs {' and '.join(missing)}.", remedy))
        if count(space) == 1:
            remedy = "Name values, as in  'optimizer.lr=interval(1e-5,1e-2)' , or take options that have a space."
            found.append(Fault(f"search={name}", "has nothing to search: no word names several values.", remedy))
        return found

    def beside(self, space: Space, /) -> list[str]:  # noqa: ARG002  # a search's interface
        """Groups and keys that the sampler's model leaves out, where it has one that not all of them fit in."""
        return []

    def start(self, space: Space, directions: Sequence[str], seed: int, /) -> None:
        """Make the study.

        Raises:
            ConfigError: several objectives, where the sampler knows only one.
        """
        if len(directions) > 1 and not self.several:
            name = type(self).__module__.rpartition(".")[2]
            raise ConfigError(
                Fault(
                    f"search={name}",
                    f"searches for one objective, and there are {len(directions)}.",
                    "Set  search=tpe , or name one in  sweep.objectives=[auto]",
                )
            )
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", module=r"optuna(\..*)?")
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        self.space, self.seed = space, seed
        self.parameters = Parameters(space, ordered=self.ordered)
        self._size = count(space)
        sampler = self._sampler(seed_of(seed, 0, 0))
        self.study = optuna.create_study(sampler=sampler, directions=[_DIRECTIONS[d] for d in directions])

    def size(self) -> int | None:
        """How many points there are; None: endlessly many."""
        return self._size

    def ask(self, number: int, /) -> Point | None:
        """The point that bears this number; of a space that ends, one that was not tried yet; None after the last."""
        if self._size is not None and len(self._seen) >= self._size:
            return None
        for attempt in range(_ASKED_AGAIN):
            self._prepare(seed_of(self.seed, number, attempt))
            trial = self.study.ask()
            point = self._suggested(trial)
            if identity(point) not in self._seen:
                return self._keep(number, trial.number, point)
            self.study.tell(trial, state=TrialState.FAIL)
        return self._another(number)

    def tell(self, number: int, told: Told, /) -> None:
        """What became of it; a later word takes the place of an earlier one."""
        theirs = self._trials[number]
        known = self.study.get_trials(deepcopy=False)[theirs]
        if known.state.is_finished():
            if not self.learns:
                return
            known = self._reopened(theirs)
        state, values = _state(told), list(told.values)
        if state is TrialState.PRUNED and values and len(self.study.directions) == 1:
            optuna.Trial(self.study, known._trial_id).report(values[0], step=told.validations)
        self.study.tell(theirs, values if state is TrialState.COMPLETE else None, state)

    def _reopened(self, theirs: int) -> FrozenTrial:
        """One that was told of, as it was before. Optuna lets nobody change it: all are taken to a new study."""
        old = self.study.get_trials()
        old[theirs] = optuna.create_trial(
            state=TrialState.RUNNING,
            params=old[theirs].params,
            distributions=old[theirs].distributions,
            system_attrs=old[theirs].system_attrs,
        )
        self.study = optuna.create_study(directions=self.study.directions)
        self.study.add_trials(old)
        return self.study.get_trials(deepcopy=False)[theirs]

    def replay(self, number: int, point: Point, told: Told | None, /) -> None:
        """Take up what an earlier driver asked."""
        self._add(number, point)
        if told is not None:
            self.tell(number, told)

    def _prepare(self, seed: int) -> None:
        self.study.sampler = self._sampler(seed)

    def _add(self, number: int, point: Point) -> None:
        """A trial that runs, with this point, as if it had been proposed."""
        parameters = self.parameters.of(point)
        self.study.add_trial(
            optuna.create_trial(
                state=TrialState.RUNNING,
                params=dict(self.parameters.encoded(point)),
                distributions={name: parameter.distribution for name, parameter in parameters.items()},
            )
        )
        self._keep(number, len(self.study.get_trials(deepcopy=False)) - 1, point)

    def _keep(self, number: int, theirs: int, point: Point) -> Point:
        self._trials[number] = theirs
        self._seen[identity(point)] = number
        return point

    def _another(self, number: int) -> Point | None:
        """A point of a space that ends that nobody has tried; of an endless one the sampler's, tried or not."""
        if self._size is None or self._size > _MOST_LISTED:
            trial = self.study.ask()
            return self._keep(number, trial.number, self._suggested(trial))
        left = [point for point in all_points(self.space) if identity(point) not in self._seen]
        if not left:
            return None
        point = Random(seed_of(self.seed, number, _ASKED_AGAIN)).choice(left)
        self._add(number, point)
        return point

    def _suggested(self, trial: optuna.Trial) -> Point:
        point: dict[str, Any] = {}
        for parameter in self.parameters.options():
            point[parameter.dimension.key] = _suggest(trial, parameter)
        for parameter in self.parameters.keys(point):
            point[parameter.dimension.key] = _suggest(trial, parameter)
        return point


def shared(parameters: Parameters, space: Space) -> dict[str, Parameter]:
    """Name -> parameter, of those that every point has: what Optuna calls the intersection search space."""
    rows = [parameters.of(options) for options in combinations(space.options())]
    return {name: parameter for name, parameter in rows[0].items() if all(name in row for row in rows)}


def alone(seed: int, startup: int = _STARTUP) -> BaseSampler:
    """Chooses what a model leaves out, each key by itself, from the trials that have it."""
    return TPESampler(seed=seed, n_startup_trials=startup)


def _suggest(trial: optuna.Trial, parameter: Parameter) -> Any:
    """The dimension's value; a number is one that people can type, in the study too."""
    distribution = parameter.distribution
    found = trial._suggest(parameter.name, distribution)
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        found = min(max(float(f"{found:.{_DIGITS}g}"), distribution.low), distribution.high)
        trial.storage.set_trial_param(
            trial._trial_id, parameter.name, distribution.to_internal_repr(found), distribution
        )
    return parameter.decoded(found)


def _state(told: Told) -> TrialState:
    """What is infeasible is told as pruned without a value: most samplers take it for the worst there is."""
    if told.state == "done":
        return TrialState.COMPLETE if told.values and all(map(math.isfinite, told.values)) else TrialState.FAIL
    return TrialState.FAIL if told.state == "failed" else TrialState.PRUNED


def seed_of(seed: int, number: int, attempt: int) -> int:
    """The seed of one proposal."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}/{attempt}".encode()).digest()[:4])
