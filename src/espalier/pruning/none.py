"""``pruning=none``: every trial is trained to its end."""

from __future__ import annotations

from collections.abc import Sequence

from espalier.core.searching import Decision, Rung


class Unpruned:
    """No trial asks. ``espalier train -m pruning=none``."""

    def rungs(self, validations: int, /) -> tuple[int, ...]:  # noqa: ARG002  # a rule's interface
        """None."""
        return ()

    def decide(self, asked: Rung, seen: Sequence[Rung], /) -> Decision:  # noqa: ARG002
        """Go on."""
        return "go_on"

    def promote(self, paused: Sequence[int], seen: Sequence[Rung], /, *, idle: bool = False) -> int | None:  # noqa: ARG002
        """Whoever waits all the same (the rule was another one before): the first."""
        return min(paused, default=None)
