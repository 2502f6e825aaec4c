"""What a driver is given: the parts of a sweep, the time, and whoever tells people of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from espalier.core.launching import Launcher
from espalier.core.record import TrialRecord
from espalier.core.searching import Pruning, Search
from espalier.sweep.attempts import Plans
from espalier.sweep.settings import Settings

if TYPE_CHECKING:
    from espalier.sweep.driver import Driver


class Watcher(Protocol):
    """Whoever tells people of it."""

    def look(self, driver: Driver, /) -> None:
        """Called in each round; speaks when it likes."""

    def moved(self, driver: Driver, trial: TrialRecord, /) -> None:
        """A trial has left its place: it is done, waits, has failed …"""


@dataclass(frozen=True)
class Parts:
    """What a sweep is made of."""

    launcher: Launcher
    search: Search
    pruning: Pruning
    plans: Plans
    settings: Settings


@dataclass(frozen=True)
class Clock:
    """The time in seconds, and how to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]
