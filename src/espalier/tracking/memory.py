"""``tracking=memory``: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping

from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo


class Memory:
    """Keeps what a tracker gets.

    Attributes:
        run: as given to ``start``; None before.
        rows: (step, metrics) in the order they came.
        outcome: as given to ``finish``; None before.
    """

    def __init__(self) -> None:
        self.run: RunInfo | None = None
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.outcome: Outcome | None = None

    def start(self, run: RunInfo, /) -> str:
        """Remember the run."""
        self.run = run
        return ""

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Remember the metrics of a step."""
        self.rows.append((step, dict(metrics)))

    def finish(self, outcome: Outcome, /) -> str:
        """Remember the outcome."""
        self.outcome = outcome
        return ""
