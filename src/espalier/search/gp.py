"""Gaussian processes: the point from which most is to be expected, by a model of what was seen."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge
from optuna.samplers import BaseSampler, GPSampler
from optuna.study import StudyDirection

from espalier.core.distributions import Parameters
from espalier.core.searching import Space, Told
from espalier.search.common import OptunaSearch, alone, shared


class Gp(OptunaSearch):
    """Takes the fewest trials where keys are few; those that only some options have are chosen each by itself.

    A proposal takes up to a second.
    """

    needs = ("scipy", "torch")

    def __init__(self, *, startup: Annotated[int, Ge(1)], noisy: bool) -> None:
        super().__init__()
        self._told: dict[int, Told] = {}
        self._penalties: dict[int, tuple[float, ...]] = {}
        self.startup, self.noisy = startup, noisy

    def beside(self, space: Space, /) -> list[str]:
        """What is not there beside every option."""
        parameters = Parameters(space)
        known = shared(parameters, space)
        return list(dict.fromkeys(p.dimension.key for name, p in parameters.all().items() if name not in known))

    def tell(self, number: int, told: Told, /) -> None:
        """Its model reads done trials alone: what was cut is told as it stood, what is infeasible as the worst seen."""
        cut = told.state == "pruned" and told.values and all(map(math.isfinite, told.values))
        super().tell(number, Told("done", told.values) if cut else told)
        self._told[number] = told
        self._penalties.pop(number, None)
        self._penalise()

    def _penalise(self) -> None:
        """Whenever there is a worse one than before, which is seldom: a replay comes to the same model."""
        seen = [told.values for told in self._told.values() if told.values and all(map(math.isfinite, told.values))]
        if not seen:
            return
        ends = [max if direction is StudyDirection.MINIMIZE else min for direction in self.study.directions]
        worst = tuple(end(column) for end, column in zip(ends, zip(*seen, strict=True), strict=True))
        for number, told in self._told.items():
            if told.state == "infeasible" and self._penalties.get(number) != worst:
                self._penalties[number] = worst
                super().tell(number, Told("done", worst))

    def _sampler(self, seed: int) -> BaseSampler:
        return GPSampler(
            seed=seed,
            independent_sampler=alone(seed, self.startup),
            n_startup_trials=self.startup,
            deterministic_objective=not self.noisy,
            warn_independent_sampling=False,
        )
