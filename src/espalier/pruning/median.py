"""``pruning=median``: what is worse than the middle of the others waits (Golovin et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Annotated

from annotated_types import Ge

from espalier.core.searching import Decision, Rung


class Median:
    """A trial goes on while its best value is not below the median of the others' at the same number of validations.

    ``espalier train -m pruning=median pruning.warmup=2``

    Args:
        startup_trials: others that must have come as far before anything is judged.
        warmup: validations of each trial that are not judged.
    """

    def __init__(self, *, startup_trials: Annotated[int, Ge(1)], warmup: Annotated[int, Ge(0)]) -> None:
        self._startup, self._warmup = startup_trials, warmup

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        """Each validation after the warm-up but the last."""
        return tuple(range(self._warmup + 1, validations))

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        """Compare with the others' values, those of running trials too."""
        others = {rung.trial: rung.value for rung in seen if rung.validations == asked.validations}
        others.pop(asked.trial, None)
        if len(others) < self._startup:
            return "go_on"
        before = [r.value for r in seen if r.trial == asked.trial and r.validations <= asked.validations]
        return "go_on" if max([asked.value, *before]) >= median(others.values()) else "pause"

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:  # noqa: ARG002
        """The best of those that are no longer below the median where they wait."""
        waiting, last = set(paused), dict[int, Rung]()
        for rung in seen:
            if rung.trial in waiting and (rung.trial not in last or rung.validations > last[rung.trial].validations):
                last[rung.trial] = rung
        able = [rung for rung in last.values() if self.decide(rung, seen) == "go_on"]
        return max(able, key=lambda rung: (rung.value, -rung.trial)).trial if able else None
