"""Where progress is shown: a line on a terminal that is drawn over and over, or plain lines in a log."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_BAR = 24  # columns, where there is room for them


class Lines:
    """Plain lines."""

    def draw(self, heading: str, share: float, words: list[str]) -> None:
        """How far something is; ``share`` is between 0 and 1."""
        self.stay("   ".join([f"{heading}  {share:4.0%}", *words]))

    def stay(self, line: str) -> None:
        """A line that stays."""
        print(line, flush=True)

    def close(self) -> None:
        """Nothing to give back."""


class Screen:
    """A bar at the bottom of a terminal; what others print meanwhile goes above it."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def draw(self, heading: str, share: float, words: list[str]) -> None:
        """How far something is; ``share`` is between 0 and 1."""
        self._live.start()  # only now: until there is something to show, the cursor stays
        tail = "   ".join(["", *words])
        room = self._console.width - len(heading) - len(tail) - 7
        row = Table.grid(padding=0)
        row.add_row(
            Text(f"{heading} ", "bold", no_wrap=True),
            ProgressBar(total=1.0, completed=share, width=max(4, min(_BAR, room))),
            Text(f" {share:4.0%}", no_wrap=True),
            Text(tail, no_wrap=True, overflow="ellipsis"),
        )
        self._live.update(row, refresh=True)

    def stay(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._live.stop()
        self._console.print(line, soft_wrap=True, markup=False)

    def close(self) -> None:
        """Take the bar away, show the cursor, leave the output as it was."""
        self._live.stop()


def open_screen() -> Screen | Lines:
    """What standard output is good for."""
    return Screen() if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" else Lines()
