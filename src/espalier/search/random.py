"""Points drawn at random, each as if it were the first (Bergstra & Bengio 2012)."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from espalier.search.common import OptunaSearch


class Random(OptunaSearch):
    """Uniform over options, choices and intervals, or over an interval's logarithm."""

    learns = False

    def _sampler(self, seed: int) -> BaseSampler:
        return RandomSampler(seed=seed)
