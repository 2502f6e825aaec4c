"""Tree-structured Parzen estimators: draws where good points lie dense and bad ones do not (Bergstra et al. 2011)."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from optuna.samplers import BaseSampler, TPESampler

from espalier.search.common import OptunaSearch


class Tpe(OptunaSearch):
    """Keys are looked at together, those that only some options have by groups; running trials count as bad."""

    def __init__(self, *, startup: Annotated[int, Ge(1)], candidates: Annotated[int, Ge(1)]) -> None:
        super().__init__()
        self.startup, self.candidates = startup, candidates

    def _sampler(self, seed: int) -> BaseSampler:
        return TPESampler(
            n_startup_trials=self.startup,
            n_ei_candidates=self.candidates,
            seed=seed,
            multivariate=True,
            group=True,
            constant_liar=True,
            warn_independent_sampling=False,
        )
