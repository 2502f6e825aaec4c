"""Gaussian processes: the point from which most is to be expected, by a model of what was seen."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from optuna.samplers import BaseSampler, GPSampler

from espalier.core.distributions import Parameters
from espalier.core.searching import Space
from espalier.search.common import OptunaSearch, alone, shared


class Gp(OptunaSearch):
    """Takes the fewest trials where keys are few; those that only some options have are chosen each by itself.

    A proposal takes up to a second.
    """

    needs = ("scipy", "torch")

    def __init__(self, *, startup: Annotated[int, Ge(1)], noisy: bool) -> None:
        super().__init__()
        self.startup, self.noisy = startup, noisy

    def beside(self, space: Space, /) -> list[str]:
        """What is not there beside every option."""
        parameters = Parameters(space)
        known = shared(parameters, space)
        return list(dict.fromkeys(p.dimension.key for name, p in parameters.all().items() if name not in known))

    def _sampler(self, seed: int) -> BaseSampler:
        return GPSampler(
            seed=seed,
            independent_sampler=alone(seed, self.startup),
            n_startup_trials=self.startup,
            deterministic_objective=not self.noisy,
            warn_independent_sampling=False,
        )
