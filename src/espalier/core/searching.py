"""What a sweep asks of a search (``search=tpe``) and of a pruning rule (``pruning=asha``)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, Protocol

from espalier.core.errors import Fault

Decision = Literal["go_on", "pause"]
Point = Mapping[str, Any]  # key or group -> value


@dataclass(frozen=True)
class Dimension:
    """One key or group that a sweep varies.

    Attributes:
        key: ``optimizer.lr``, or the group ``adapter``.
        values: the choices, in order; empty for an interval.
        low, high: both included.
        log: whether an interval is searched in the logarithm.
        whole: whether an interval's values are whole numbers.
        step: distance between an interval's values; None: any.
        source: who says so, for people: ``command line``, ``conf/space/adapter/lora.yaml:2``.
        place: its place among the words that vary something; of a grid's points, the last place changes quickest.
    """

    key: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    step: float | None = None
    source: str = ""
    place: int = 0

    @property
    def is_interval(self) -> bool:
        """Whether it has endlessly many values, or is given by its ends."""
        return not self.values

    @property
    def size(self) -> int | None:
        """How many values it has; None: endlessly many."""
        if not self.is_interval:
            return len(self.values)
        step = self.step or (1 if self.whole else None)
        return int((self.high - self.low) / step + 1e-9) + 1 if step else None

    def taken(self) -> Sequence[Any]:
        """Its values, those of an interval with steps as well.

        Raises:
            ValueError: there are endlessly many.
        """
        if not self.is_interval:
            return self.values
        if self.size is None:
            raise ValueError(f"{self.key} has endlessly many values")
        numbers = [self.low + index * (self.step or 1) for index in range(self.size)]
        return [int(number) for number in numbers] if self.whole else numbers


class Space(Protocol):
    """What may be varied: options first; which keys there are may depend on the options that were chosen."""

    def options(self) -> Sequence[Dimension]:
        """Groups whose option is varied."""

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        """Keys that are varied beside these options."""


def combinations(dimensions: Sequence[Dimension]) -> Iterator[Point]:
    """Every combination of values of dimensions that have so many; the last dimension changes quickest."""
    keys = [dimension.key for dimension in dimensions]
    for values in product(*(dimension.taken() for dimension in dimensions)):
        yield dict(zip(keys, values, strict=True))


MOST_POINTS = 10_000
"""Of a grid: all are checked before the first begins, some milliseconds each."""


def count(space: Space) -> int | None:
    """How many points a space has; None: endlessly many."""
    sizes = [[key.size for key in space.keys(options)] for options in combinations(space.options())]
    return sum(math.prod(size or 0 for size in row) for row in sizes) if all(map(all, sizes)) else None


def all_points(space: Space) -> list[Point]:
    """Every point of a space that has so many, in Hydra's order: the word that stands last changes quickest."""
    placed: list[tuple[tuple[int, ...], Point]] = []
    for options in combinations(space.options()):
        dimensions = sorted([*space.options(), *space.keys(options)], key=lambda dimension: dimension.place)
        order = {dimension.place: {_key(v): n for n, v in enumerate(dimension.taken())} for dimension in dimensions}
        last = max(order, default=-1) + 1
        for keys in combinations(space.keys(options)):
            point = {**options, **keys}
            row = [-1] * last
            for dimension in dimensions:
                row[dimension.place] = order[dimension.place][_key(point[dimension.key])]
            placed.append((tuple(row), {dimension.key: point[dimension.key] for dimension in dimensions}))
    return [point for _, point in sorted(placed, key=lambda pair: pair[0])]


def identity(point: Point) -> str:
    """Two points are the same where this text is."""
    return _key(dict(sorted(point.items())))


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True)
class Told:
    """What became of a point: values of the objectives (bigger or smaller is better, as the directions say).

    Attributes:
        state: ``done``; ``pruned`` with the values at its last rung; ``infeasible`` (out of memory, or it
            diverged): what lies near is so too; ``failed``, which says nothing of the point.
        validations: of one that is pruned: after how many of them it was.
    """

    state: Literal["done", "pruned", "infeasible", "failed"]
    values: tuple[float, ...] = ()
    validations: int = 0


class Search(Protocol):
    """Proposes points of a space. The record of what was asked is the sweep's: a search is rebuilt by ``replay``."""

    def faults(self, space: Space, /) -> list[Fault]:
        """Why this space cannot be searched so, with the line that helps (an interval by a grid)."""

    def beside(self, space: Space, /) -> list[str]:
        """Groups and keys of this space that its model leaves out, each chosen by itself; mostly none."""

    def start(self, space: Space, directions: Sequence[str], seed: int, /) -> None:
        """Before the first ``ask``: ``directions`` are ``max`` or ``min``, one for each objective."""

    def size(self) -> int | None:
        """How many points there are; None: endlessly many."""

    def ask(self, number: int, /) -> Point | None:
        """The point that bears this number; None where there is no further one."""

    def tell(self, number: int, told: Told, /) -> None:
        """What became of it; said again when more has: a trial that was pruned may go on after all, and be done."""

    def replay(self, number: int, point: Point, told: Told | None, /) -> None:
        """Take up, in order, what an earlier driver asked; None: not known yet, ``tell`` follows."""


@dataclass(frozen=True)
class Rung:
    """One trial's value after some validations; ``value`` is signed so that bigger is better, -inf if not finite."""

    trial: int
    validations: int
    value: float


class Pruning(Protocol):
    """Decides which trials go on. It sees all values at equal numbers of validations, of running trials too."""

    def rungs(self, validations: int, /) -> tuple[int, ...]:
        """After which validations a trial asks, where a whole trial has so many; the last is never one of them."""

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:
        """Whether the trial goes on now; ``seen`` has its own values too."""

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:
        """A paused trial that has earned to go on by now; None: none has.

        Args:
            paused: trials that wait.
            seen: all values.
            idle: nothing runs, and nothing is left to begin: without the answer to this the sweep would end here. A
                rule that lets few go on says then who is finished though it had too few rivals to earn it.
        """
