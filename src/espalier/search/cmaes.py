"""CMA-ES: a normal distribution over the keys that learns its own shape (Hansen & Ostermeier 2001)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler

from espalier.core.distributions import Parameters
from espalier.core.errors import Fault
from espalier.core.searching import Point, Space
from espalier.search.common import OptunaSearch, alone, seed_of, shared


class CmaEs(OptunaSearch):
    """For keys that are numbers, and that all points have; options and other keys are chosen each by itself."""

    needs = ("cmaes",)
    several = False
    ordered = True

    def __init__(self, *, population: Annotated[int, Ge(2)] | None, sigma: Annotated[float, Gt(0)] | None) -> None:
        super().__init__()
        self.population, self.sigma = population, sigma

    def faults(self, space: Space, /) -> list[Fault]:
        """As of any search; fewer than two numbers."""
        found = super().faults(space)
        if not found and len(_modelled(space)) < 2:
            truth = "needs two keys at least that are numbers and that all options have."
            found.append(Fault("search=cmaes", truth, "Set  search=tpe , or name more intervals."))
        return found

    def beside(self, space: Space, /) -> list[str]:
        """What is no number, or not there beside every option."""
        known = _modelled(space)
        every = Parameters(space, ordered=True).all()
        return list(dict.fromkeys(p.dimension.key for name, p in every.items() if name not in known))

    def _sampler(self, seed: int) -> BaseSampler:
        return CmaEsSampler(
            sigma0=self.sigma,
            popsize=self.population,
            seed=seed,
            independent_sampler=alone(seed),
            warn_independent_sampling=False,
        )

    def _add(self, number: int, point: Point) -> None:
        """Let it propose, which leaves the sampler's state in the trial, and take this point all the same."""
        self._prepare(seed_of(self.seed, number, 0))
        self.study.enqueue_trial(dict(self.parameters.encoded(point)))
        trial = self.study.ask()
        _ = trial.relative_params
        self._suggested(trial)
        self._keep(number, trial.number, point)


def _modelled(space: Space) -> set[str]:
    """Names of the numbers that all points have."""
    every = shared(Parameters(space, ordered=True), space)
    return {name for name, p in every.items() if not isinstance(p.distribution, CategoricalDistribution)}
