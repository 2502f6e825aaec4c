"""Gaussian processes: the point from which most is to be expected, by a model of what was seen."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from optuna.samplers import BaseSampler, GPSampler, RandomSampler

from espalier.search.common import OptunaSearch


class Gp(OptunaSearch):
    """Takes the fewest trials where keys are few; those that only some options have are drawn at random beside it.

    A proposal takes up to a second.
    """

    needs = ("scipy", "torch")

    def __init__(self, *, startup: Annotated[int, Ge(1)], noisy: bool) -> None:
        super().__init__()
        self.startup, self.noisy = startup, noisy

    def _sampler(self, seed: int) -> BaseSampler:
        return GPSampler(
            seed=seed,
            independent_sampler=RandomSampler(seed=seed),
            n_startup_trials=self.startup,
            deterministic_objective=not self.noisy,
            warn_independent_sampling=False,
        )
