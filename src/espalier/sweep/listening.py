"""What ends a sweep from outside: signals, and a file by which ``espalier sweep stop`` asks, from any machine."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, Self

STOP = "stop"  # in the sweep's directory; it holds ``now`` where trials shall not leave a checkpoint
PATIENCE = 30.0  # seconds that whoever asks waits to see it happen
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EVERY = 10  # rounds between two looks for the file


class Ears:
    """A context in which signals are only noted; ``heard`` is asked in each round.

    Args:
        directory: of the sweep.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / STOP
        self._before: dict[int, Any] = {}
        self._rounds = 0
        self.signals: list[int] = []

    def __enter__(self) -> Self:
        self._file.unlink(missing_ok=True)
        self._before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._file.unlink(missing_ok=True)

    def heard(self) -> tuple[str, bool] | None:
        """``interrupted`` or ``stopped``, and whether at once; None while nobody wants anything."""
        if self.signals:
            return "interrupted", len(self.signals) > 1
        self._rounds += 1
        if self._rounds % _EVERY:
            return None
        try:
            return "stopped", self._file.read_text(encoding="utf-8").strip() == "now"
        except FileNotFoundError:
            return None

    @property
    def code(self) -> int:
        """The exit code that the first signal asks for."""
        return 128 + self.signals[0] if self.signals else 0

    def _hear(self, number: int, _: object) -> None:
        self.signals.append(number)


def ask_to_stop(directory: Path, *, now: bool) -> None:
    """Leave the file for the driver."""
    (directory / STOP).write_text("now\n" if now else "\n", encoding="utf-8")
