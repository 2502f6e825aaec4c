"""A space as Optuna's parameters: names, distributions, values. Only who imports this pays for Optuna."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from espalier.core.searching import Dimension, Point, Space, combinations

_PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class Parameter:
    """One dimension as Optuna has it.

    Attributes:
        name: the dimension's key, with the option's name where options give the key different values.
        ordered: whether the choices are numbers in order, taken by their place among them.
    """

    name: str
    dimension: Dimension
    ordered: bool = False

    @property
    def distribution(self) -> BaseDistribution:
        """Optuna's."""
        of = self.dimension
        if self.ordered:
            return IntDistribution(0, len(of.values) - 1)
        if not of.is_interval:
            return CategoricalDistribution([self.encoded(value) for value in of.values])
        if of.whole:
            return IntDistribution(int(of.low), int(of.high), log=of.log, step=int(of.step or 1))
        return FloatDistribution(of.low, of.high, log=of.log, step=of.step)

    def encoded(self, value: Any) -> Any:
        """A value as Optuna may keep it."""
        if self.dimension.is_interval:
            return value
        if self.ordered:
            return self.dimension.values.index(value)
        return value if self._is_plain else _text(value)

    def decoded(self, found: Any) -> Any:
        """The dimension's own value."""
        if self.dimension.is_interval:
            return int(found) if self.dimension.whole else float(found)
        if self.ordered:
            return self.dimension.values[found]
        return next(value for value in self.dimension.values if _same(self.encoded(value), found))

    @property
    def _is_plain(self) -> bool:
        """Whether Optuna can tell the choices apart: they are of one plain type."""
        values = [value for value in self.dimension.values if value is not None]
        return all(isinstance(v, _PLAIN) for v in values) and len({isinstance(v, str | bool) for v in values}) < 2


class Parameters:
    """The parameters of a space, by the options that were chosen."""

    def __init__(self, space: Space, *, ordered: bool = False) -> None:
        self._space, self._ordered = space, ordered
        self._different: dict[str, list[Dimension]] = {}
        for options in combinations(space.options()):
            for dimension in space.keys(options):
                kinds = self._different.setdefault(dimension.key, [])
                if not any(_alike(dimension, other) for other in kinds):
                    kinds.append(dimension)

    def options(self) -> list[Parameter]:
        """Of the groups whose option is varied."""
        return [Parameter(dimension.key, dimension) for dimension in self._space.options()]

    def keys(self, options: Point) -> list[Parameter]:
        """Of what is varied beside these options."""
        return [self._parameter(dimension) for dimension in self._space.keys(options)]

    def all(self) -> dict[str, Parameter]:
        """Name -> parameter, of every one that some point has."""
        return {
            parameter.name: parameter
            for options in combinations(self._space.options())
            for parameter in (*self.options(), *self.keys(options))
        }

    def of(self, point: Point) -> dict[str, Parameter]:
        """Name -> parameter, of those that a point has."""
        return {parameter.name: parameter for parameter in (*self.options(), *self.keys(point))}

    def encoded(self, point: Point) -> Mapping[str, Any]:
        """A point as Optuna's parameters."""
        return {name: p.encoded(point[p.dimension.key]) for name, p in self.of(point).items()}

    def _parameter(self, dimension: Dimension) -> Parameter:
        kinds = self._different[dimension.key]
        name = dimension.key
        if len(kinds) > 1:
            place = next(n for n, other in enumerate(kinds) if _alike(dimension, other))
            option = PurePath(kinds[place].source.partition(":")[0])
            name += f" ({option.stem})" if option.suffix == ".yaml" else f" ({place + 1})"
        ordered = self._ordered and len(dimension.values) > 2 and _is_rising(dimension.values)
        return Parameter(name, dimension, ordered)


def _alike(one: Dimension, other: Dimension) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("key", "values", "low", "high", "log", "whole", "step")
    )


def _is_rising(values: tuple[Any, ...]) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return numbers and list(values) == sorted(values)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
