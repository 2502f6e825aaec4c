"""Every combination of the values that are named, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from espalier.core.errors import Fault
from espalier.core.searching import MOST_POINTS, Dimension, Point, Space, Told, all_points, combinations, count

_TRUTH = "is an interval: endlessly many values."


class Grid:
    """The points of a space that has so many, one after the other."""

    def __init__(self) -> None:
        self._points: list[Point] = []

    def faults(self, space: Space, /) -> list[Fault]:
        """An interval has endlessly many values; a product of long lists more than anybody waits for."""
        remedy = "List values for a grid, as in  key=1e-4,3e-4,1e-3 , or add a search:  sweep=tpe sweep.trials=20"
        keys = [key for options in combinations(space.options()) for key in space.keys(options)]
        found = {
            key.key: Fault(f"{key.key}=interval({key.low:g},{key.high:g})", _TRUTH, remedy, _where(key))
            for key in keys
            if key.is_interval
        }
        if found or (size := count(space) or 0) <= MOST_POINTS:
            return list(found.values())
        widest = max([*space.options(), *keys], key=lambda dimension: dimension.size or 0)
        truth = f"makes a grid of {size:,} combinations; {MOST_POINTS:,} are the most."
        return [Fault(widest.key, truth, "Name fewer values, or add a search:  sweep=tpe sweep.trials=20")]

    def beside(self, space: Space, /) -> list[str]:  # noqa: ARG002  # a search's interface
        """None."""
        return []

    def start(self, space: Space, _directions: Sequence[str], _seed: int, /) -> None:
        """Take up the points."""
        self._points = all_points(space)

    def size(self) -> int:
        """How many points there are."""
        return len(self._points)

    def ask(self, number: int, /) -> Point | None:
        """The point that bears this number; None after the last."""
        return self._points[number] if number < len(self._points) else None

    def tell(self, number: int, told: Told, /) -> None:
        """A grid does not mind."""

    def replay(self, number: int, point: Point, told: Told | None, /) -> None:
        """A grid is the same each time."""


def _where(key: Dimension) -> str:
    return "" if key.source == "command line" else key.source
