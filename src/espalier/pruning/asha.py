"""``pruning=asha``: asynchronous successive halving (Li et al. 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge

from espalier.core.searching import Decision, Rung
from espalier.pruning import halving


class Asha:
    """After 1, 3, 9 … validations the best third of those seen there goes on; the others wait, and may still earn it.

    ``espalier train -m pruning=asha pruning.min_validations=2``

    Nobody waits for a rung to be full: who is not among the best third yet is paused with a checkpoint, and goes on
    when later trials turn out to be worse. Where the last ones have too few rivals for a third of them to be one, the
    best goes on.

    Args:
        min_validations: of the first rung.
        reduction: 3: of three trials one goes on, and is asked again after three times as many validations.
    """

    def __init__(self, *, min_validations: Annotated[int, Ge(1)], reduction: Annotated[int, Ge(2)]) -> None:
        self._least, self._reduction = min_validations, reduction

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        """``min_validations · reduction^k``."""
        return halving.geometric(self._least, self._reduction, validations)

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        """Go on among the best 1/reduction."""
        return halving.decide(asked, seen, self._reduction)

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:
        """The best of the furthest rung that has earned it."""
        earned = halving.promote(paused, seen, self._reduction)
        return halving.promote(paused, seen, self._reduction, least=1) if earned is None and idle else earned
