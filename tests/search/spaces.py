"""Spaces, and what points of them are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from espalier.core.searching import Dimension, Point, Search, Told

Made = Callable[[], Any]


class Mixed:
    """Options of which one brings a key, an interval by its logarithm, one without, and lists to choose from."""

    def options(self) -> Sequence[Dimension]:
        return [Dimension("adapter", ("lora", "probe"))]

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        shared = [
            Dimension("optimizer.lr", low=1e-5, high=1e-2, log=True),
            Dimension("optimizer.weight_decay", low=0, high=0.1),
            Dimension("callback", (["a"], ["a", "b"])),
        ]
        return [*shared, Dimension("adapter.rank", (4, 8, 16))] if options["adapter"] == "lora" else shared


class Small:
    """Six points."""

    def options(self) -> Sequence[Dimension]:
        return []

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        return [Dimension("a", (1, 2, 3), place=0), Dimension("b", ("x", "y"), place=1)]


def worth(point: Point) -> float:
    """Best, near 1.1, with lora of rank 8, a rate of 0.001 and a weight decay of 0.05."""
    rank = 0.1 * (point.get("adapter.rank") == 8)
    rate = (math.log10(point["optimizer.lr"]) + 3) ** 2
    return (point["adapter"] == "lora") + rank - rate - abs(point["optimizer.weight_decay"] - 0.05)


def told(number: int, point: Point) -> Told:
    """Some are cut, some run out of memory, one fails."""
    if number == 9:
        return Told("failed")
    if number % 11 == 5:
        return Told("infeasible")
    return Told("pruned", (worth(point) - 1,)) if number % 7 == 3 else Told("done", (worth(point),))


def history(search: Search, trials: int, *, ahead: int = 1) -> list[tuple[Point, Told]]:
    """So many trials, ``ahead`` more than one at a time: what becomes of one is told after the next were asked for."""
    done: list[tuple[Point, Told]] = []
    for number in range(trials):
        point = search.ask(number)
        assert point is not None
        done.append((point, told(number, point)))
        if number >= ahead:
            search.tell(number - ahead, done[number - ahead][1])
    return done


def proposes_the_same_after_a_replay(make: Made, trials: int = 24, *, ahead: int = 1) -> bool:
    """Whether a search that is rebuilt from a record goes on as the one that was asked."""
    first, second = make(), make()
    first.start(Mixed(), ["max"], 3)
    done = history(first, trials, ahead=ahead)
    second.start(Mixed(), ["max"], 3)
    for number, (point, what) in enumerate(done):
        second.replay(number, point, what if number < trials - ahead else None)
    return bool(first.ask(trials) == second.ask(trials))


def best_of(search: Search, trials: int, seed: int = 0) -> float:
    """The best of so many trials, told one after the other."""
    search.start(Mixed(), ["max"], seed)
    found = []
    for number in range(trials):
        point = search.ask(number)
        assert point is not None
        found.append(worth(point))
        search.tell(number, Told("done", (found[-1],)))
    return max(found)


class Square:
    """Two intervals."""

    def options(self) -> Sequence[Dimension]:
        return []

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        return [Dimension("x", low=0.0, high=1.0), Dimension("y", low=0.0, high=1.0)]


def infeasible_of(search: Search, trials: int, startup: int = 5) -> int:
    """How many proposals after the first ones lie where x is best but for a wall: above 0.7 nothing is feasible."""
    search.start(Square(), ["max"], 0)
    points = []
    for number in range(trials):
        point = search.ask(number)
        assert point is not None
        points.append(point)
        value = point["x"] - abs(point["y"] - 0.5)
        search.tell(number, Told("infeasible") if point["x"] > 0.7 else Told("done", (value,)))
    return sum(point["x"] > 0.7 for point in points[startup:])


def learned(search: Search, trials: int, last: int) -> float:
    """How good the options and the keys that only some have are, of the last trials: at best 1.1, by chance 0.52."""
    search.start(Mixed(), ["max"], 0)
    found = []
    for number in range(trials):
        point = search.ask(number)
        assert point is not None
        found.append((point["adapter"] == "lora") + 0.1 * (point.get("adapter.rank") == 8))
        search.tell(number, Told("done", (worth(point),)))
    return sum(found[-last:]) / last
