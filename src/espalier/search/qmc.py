"""Quasi-random points: they fill the space more evenly than random ones do (Bergstra & Bengio 2012, section 4)."""

from __future__ import annotations

from typing import Any, Literal

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, QMCSampler

from espalier.core.searching import Point, Told, identity
from espalier.search.common import OptunaSearch


class Qmc(OptunaSearch):
    """A scrambled Sobol or Halton sequence over all options and keys; those that an option lacks are passed over."""

    needs = ("scipy",)
    learns = False

    def __init__(self, *, sequence: Literal["sobol", "halton"]) -> None:
        super().__init__()
        self.sequence = sequence

    def _sampler(self, seed: int) -> BaseSampler:
        space = {name: parameter.distribution for name, parameter in self.parameters.all().items()}
        return _Sequence(space, qmc_type=self.sequence, scramble=True, seed=seed, warn_independent_sampling=False)

    def _prepare(self, seed: int) -> None:
        """The sequence goes on."""

    def replay(self, number: int, point: Point, told: Told | None, /) -> None:
        """Take the sequence's next point, which is the one that is recorded unless the search was changed."""
        proposed = self.ask(number)
        if proposed is None or identity(proposed) != identity(point):
            if proposed is not None:
                self.tell(number, Told("failed"))
                del self._seen[identity(proposed)]
            self._add(number, point)
        if told is not None:
            self.tell(number, told)


class _Sequence(QMCSampler):  # type: ignore[misc]
    """The whole space from the first trial on, where Optuna's would wait for a trial to see what there is."""

    def __init__(self, space: dict[str, BaseDistribution], **settings: Any) -> None:
        super().__init__(**settings)
        self._space = space

    def infer_relative_search_space(self, *_: Any) -> dict[str, BaseDistribution]:
        return self._space
