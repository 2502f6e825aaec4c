"""``pruning=patience``: what no longer improves waits, unless nobody is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge

from espalier.core.searching import Decision, Rung


class Patience:
    """A trial without a better value for some validations ends there; the best of all is always trained to its end.

    ``espalier train -m pruning=patience pruning.validations=5``

    Looks at the trial's own curve. ``callback=[early_stopping]`` is similar and asks nobody: there each trial comes to
    an end of its own and is done, here it counts as cut.

    Args:
        validations: in a row without a better value.
        min_delta: a value counts as better from here on, in the objective's own unit.
    """

    def __init__(self, *, validations: Annotated[int, Ge(1)], min_delta: Annotated[float, Ge(0)]) -> None:
        self._patience, self._delta = validations, min_delta

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        """Each validation but the last: what is better is only seen by looking at all of them."""
        return tuple(range(1, validations))

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        """Go on while it improves, or leads."""
        mine = {rung.validations: rung.value for rung in [*seen, asked] if rung.trial == asked.trial}
        others = [rung.value for rung in seen if rung.trial != asked.trial]
        best, since = -math.inf, 0
        for validations in sorted(v for v in mine if v <= asked.validations):
            better = mine[validations] > best and mine[validations] - best >= self._delta
            best, since = (mine[validations], 0) if better else (best, since + 1)
        return "go_on" if since < self._patience or best >= max(others, default=best) else "pause"

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:  # noqa: ARG002
        """None: what stopped improving stays so."""
        return None
