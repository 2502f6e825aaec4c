"""Seconds of training: a watch that runs from batch to batch and stands while something else is done."""

from __future__ import annotations

from time import perf_counter


class Stopwatch:
    """Adds up the time between ``go`` and ``pause``; calling either twice changes nothing."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def go(self) -> None:
        """Run; costs a tenth of a microsecond where it runs already."""
        if self._since is None:
            self._since = perf_counter()

    def pause(self) -> None:
        """Stand."""
        self._before, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        """So far."""
        return self._before + (perf_counter() - self._since if self._since is not None else 0.0)
