"""What a pruning rule would have done with recorded curves: a sweep on a simulated clock, nothing is trained."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from espalier.core.searching import Pruning, Rung


@dataclass(frozen=True)
class Replayed:
    """How the sweep went.

    Attributes:
        done: trials that came to their end, in that order.
        reached: trial -> validations that it was trained for.
        best: of the done ones, by their last value; None where none is.
        seconds: until the last place fell free.
        whole: validations of all trials, had none been cut.
    """

    done: tuple[int, ...]
    reached: dict[int, int]
    best: int | None
    seconds: float
    whole: int

    @property
    def cost(self) -> int:
        """Validations that were trained for."""
        return sum(self.reached.values())

    @property
    def saving(self) -> float:
        """How many times more the whole grid costs."""
        return self.whole / self.cost


def replay(
    curves: Sequence[Sequence[float]],
    pruning: Pruning,
    *,
    slots: int = 1,
    order: Sequence[int] = (),
    duration: Callable[[int], float] = lambda _: 1.0,
    final: Callable[[Sequence[float]], float] = lambda curve: curve[-1],
) -> Replayed:
    """Run trials whose curves are known on so many places, as a sweep would: a free place takes who has earned it.

    Args:
        curves: each trial's value after 1, 2, … validations; bigger is better.
        order: in which they begin; as they are numbered where it is left out.
        duration: trial -> seconds that one validation of it takes.
        final: a whole curve -> what its trial is judged by in the end.
    """
    begin = list(order or range(len(curves)))
    seen: list[Rung] = []
    reached: dict[int, int] = {}
    paused: list[int] = []
    done: list[int] = []
    running: list[tuple[float, int, int]] = []  # when it is at its next rung or end, trial, validations there
    now = 0.0

    def start(trial: int) -> None:
        before, whole = reached.get(trial, 0), len(curves[trial])
        following = next((rung for rung in pruning.rungs(whole) if rung > before), whole)
        heapq.heappush(running, (now + (following - before) * duration(trial), trial, following))

    def take() -> int | None:
        found = pruning.promote(paused, seen)
        if found is None and not begin and not running:
            found = pruning.promote(paused, seen, idle=True)
        if found is not None:
            paused.remove(found)
            return found
        return begin.pop(0) if begin else None

    while True:
        while len(running) < slots and (trial := take()) is not None:
            start(trial)
        if not running:
            break
        now, trial, validations = heapq.heappop(running)
        reached[trial] = validations
        if validations == len(curves[trial]):
            done.append(trial)
            continue
        rung = Rung(trial, validations, _finite(curves[trial][validations - 1]))
        seen.append(rung)
        if pruning.decide(rung, seen) == "go_on":
            start(trial)
        else:
            paused.append(trial)
    best = max(done, key=lambda trial: final(curves[trial]), default=None)
    return Replayed(tuple(done), reached, best, now, sum(map(len, curves)))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
