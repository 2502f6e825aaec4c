"""Trials that no machine can hold any more: the only node with so many GPUs is gone, and those behind them wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from espalier.core.launching import Launcher

_EVERY = 300.0  # seconds between two looks: a node that starts anew is back after one, and clusters are asked seldom


class Stranded:
    """Asks the launcher, while nothing can be placed, whether what waits can ever be.

    Args:
        now: the time in seconds.
    """

    def __init__(self, launcher: Launcher, now: Callable[[], float]) -> None:
        self._launcher, self._now = launcher, now
        self._due: float | None = None
        self._before: set[int] = set()

    def moved(self) -> None:
        """Something was placed: nobody holds up anybody."""
        self._due, self._before = None, set()

    def look(self, waiting: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[int, str]:
        """Of trials that wait (number, ``hardware`` node), those that had no machine at two looks, and why.

        Called while nothing can be placed; most calls do nothing.
        """
        if self._due is None:
            self._due = self._now() + _EVERY
        if self._now() < self._due:
            return {}
        self._due = self._now() + _EVERY
        known: list[tuple[Mapping[str, Any], str]] = []
        found: dict[int, str] = {}
        for number, hardware in waiting:
            why = next((why for asked, why in known if asked == hardware), None)
            if why is None:
                why = "; ".join(map(str, self._launcher.faults([dict(hardware)])))
                known.append((hardware, why))
            if why:
                found[number] = why
        over = {number: why for number, why in found.items() if number in self._before}
        self._before = set(found)
        return over
