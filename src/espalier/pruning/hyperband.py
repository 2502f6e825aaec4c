"""``pruning=hyperband``: successive halving from several first rungs at once (Li et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

from annotated_types import Ge

from espalier.core.searching import Decision, Rung
from espalier.pruning import halving


class Hyperband:
    """``pruning=asha`` for those whose early values may mislead: some trials are first judged later.

    ``espalier train -m pruning=hyperband pruning.brackets=2``

    Each trial belongs to a bracket, by its number: 9 of 17 are judged from the first rung on, 5 from the second, 3 from
    the third (with three brackets, reduction 3: brackets of about the same cost). Trials of one bracket are compared.

    Args:
        min_validations: of the first rung.
        reduction: of three trials one goes on, and is asked again after three times as many validations.
        brackets: first rungs that there are.
    """

    def __init__(
        self,
        *,
        min_validations: Annotated[int, Ge(1)],
        reduction: Annotated[int, Ge(2)],
        brackets: Annotated[int, Ge(1)],
    ) -> None:
        self._least, self._reduction, self._brackets = min_validations, reduction, brackets

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        """``min_validations · reduction^k``, for trials of all brackets."""
        return halving.geometric(self._least, self._reduction, validations)

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        """Go on below the bracket's first rung, and among the best 1/reduction of the bracket."""
        mine = self.bracket(asked.trial)
        if asked.validations < self._least * self._reduction**mine:
            return "go_on"
        return halving.decide(asked, self._of(mine, seen), self._reduction)

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:
        """The best of the furthest rung of any bracket that has earned it; the bracket judged latest comes first."""
        for least in (0, 1) if idle else (0,):
            for bracket in reversed(range(self._brackets)):
                mine = [trial for trial in paused if self.bracket(trial) == bracket]
                found = halving.promote(mine, self._of(bracket, seen), self._reduction, least=least)
                if found is not None:
                    return found
        return None

    def bracket(self, trial: int) -> int:
        """Of a trial's number: 0 is judged from the first rung on."""
        shares = _shares(self._reduction, self._brackets)
        return _order(shares)[trial % sum(shares)]

    def _of(self, bracket: int, seen: Sequence[Rung]) -> list[Rung]:
        return [rung for rung in seen if self.bracket(rung.trial) == bracket]


def _shares(reduction: int, brackets: int) -> tuple[int, ...]:
    """How many trials of each bracket, as Hyperband has it: ``ceil(brackets / (s + 1) · reduction^s)``."""
    return tuple(math.ceil(brackets / (s + 1) * reduction**s) for s in reversed(range(brackets)))


@lru_cache
def _order(shares: tuple[int, ...]) -> tuple[int, ...]:
    """A round of brackets, each spread evenly over it: next comes the one that lags behind its share most."""
    given, order = [0] * len(shares), []
    for number in range(sum(shares)):
        lags = [share * (number + 1) / sum(shares) - had for share, had in zip(shares, given, strict=True)]
        order.append(lags.index(max(lags)))
        given[order[-1]] += 1
    return tuple(order)
