"""What a sweep asks of a search (``search=tpe``) and of a pruning rule (``pruning=asha``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """

    key: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    step: float | None = None
    source: str = ""

    @property
    def is_interval(self) -> bool:
        """Whether it has endlessly many values, or is given by its ends."""
        return not self.values


class Space(Protocol):
    """What may be varied: options first; which keys there are may depend on the options that were chosen."""

    def options(self) -> Sequence[Dimension]:
        """Groups whose option is varied."""

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        """Keys that are varied beside these options."""


@dataclass(frozen=True)
class Told:
    """What became of a point: values of the objectives (bigger or smaller is better, as the directions say).

    Attributes:
        state: ``done``; ``pruned`` with the values at its last rung; ``infeasible`` (out of memory); ``failed``.
    """

    state: Literal["done", "pruned", "infeasible", "failed"]
    values: tuple[float, ...] = ()


class Search(Protocol):
    """Proposes points of a space. The record of what was asked is the sweep's: a search is rebuilt by ``replay``."""

    def faults(self, space: Space, /) -> list[Fault]:
        """Why this space cannot be searched so, with the line that helps (an interval by a grid)."""

    def start(self, space: Space, directions: Sequence[str], seed: int, /) -> None:
        """Before the first ``ask``: ``directions`` are ``max`` or ``min``, one for each objective."""

    def size(self) -> int | None:
        """How many points there are; None: endlessly many."""

    def ask(self, number: int, /) -> Point | None:
        """The point that bears this number; None where there is no further one."""

    def tell(self, number: int, told: Told, /) -> None:
        """What became of it."""

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

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /) -> int | None:
        """A paused trial that has earned to go on by now; None: none has."""
