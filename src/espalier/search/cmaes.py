"""CMA-ES: a normal distribution over the keys that learns its own shape (Hansen & Ostermeier 2001)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler

from espalier.core.distributions import Parameters
from espalier.core.errors import Fault
from espalier.core.searching import Point, Space, combinations
from espalier.search.common import OptunaSearch, seed_of


class CmaEs(OptunaSearch):
    """For keys that are numbers, and that all points have; options and other choices are drawn at random beside it."""

    needs = ("cmaes",)
    several = False
    ordered = True

    def __init__(self, *, population: Annotated[int, Ge(2)] | None, sigma: Annotated[float, Gt(0)] | None) -> None:
        super().__init__()
        self.population, self.sigma = population, sigma

    def faults(self, space: Space, /) -> list[Fault]:
        """As of any search; fewer than two numbers."""
        parameters = Parameters(space, ordered=True)
        shared = [
            {p.name for p in parameters.keys(options) if not isinstance(p.distribution, CategoricalDistribution)}
            for options in combinations(space.options())
        ]
        found = super().faults(space)
        if not found and len(set.intersection(*shared)) < 2:
            truth = "needs two keys at least that are numbers and that all options have."
            found.append(Fault("search=cmaes", truth, "Set  search=tpe , or name more intervals."))
        return found

    def _sampler(self, seed: int) -> BaseSampler:
        return CmaEsSampler(
            sigma0=self.sigma,
            popsize=self.population,
            seed=seed,
            independent_sampler=RandomSampler(seed=seed),
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
