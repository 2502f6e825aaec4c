"""What a person sees while a sweep runs: a view that is drawn anew on a terminal, a line for each trial elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self, TextIO

from espalier.core.record import TrialRecord
from espalier.report.layout import aligned, cut, terminal_width
from espalier.report.quantities import duration, metric_name, value
from espalier.report.sweep_lines import status_lines

_BAR = 30
_STATES = {"infeasible": "no memory", "planned": "again", "stopped": "cut"}


class Screen:
    """Speaks to one stream; on a terminal through rich.

    Args:
        stream: standard output if not given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live: Any = None

    def __enter__(self) -> Self:
        self._context: AbstractContextManager[Any] = nullcontext()
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._context = self._live
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)
        self._live = None

    def say(self, *lines: str) -> None:
        """Lines that stay."""
        for line in lines:
            if self._live:
                self._live.console.print(line, markup=False, soft_wrap=True)
            else:
                print(line, file=self._stream, flush=True)

    def draw(self, summary: Mapping[str, Any]) -> None:
        """The view of the moment; nothing where there is no terminal."""
        if self._live:
            from rich.text import Text

            width = terminal_width()
            lines = [bar(summary), *status_lines(summary, width=width)]
            self._live.update(Text("\n".join(cut(line, width) for line in lines)), refresh=True)

    def moved(self, trial: TrialRecord, over: int, total: int | None, objectives: list[str]) -> None:
        """A line for a trial that has left its place."""
        self.say(trial_line(trial, over, total, objectives))


def bar(summary: Mapping[str, Any]) -> str:
    """``━━━━━━━╸━━━━━━  14/27``."""
    counts = summary.get("counts") or {}
    over = sum(number for state, number in counts.items() if state not in ("planned", "running", "paused"))
    total = summary.get("total")
    if not total:
        return f"{over} trials"
    filled = min(_BAR, round(_BAR * over / total))
    return f"{'━' * filled}{'╌' * (_BAR - filled)}  {over}/{total}"


def trial_line(trial: TrialRecord, over: int, total: int | None, objectives: list[str]) -> str:
    """``[ 3/12]  trial 7  done  accuracy 0.912  12 s  lr=0.001``."""
    whole = str(total) if total is not None else "?"
    state = _STATES.get(trial.state, trial.state)
    told = zip(objectives, trial.values, strict=False)
    said = ", ".join(f"{metric_name(name.removeprefix('cost.'))} {value(number)}" for name, number in told)
    if trial.state == "paused" and trial.rungs and trial.rungs[-1][1] is not None:
        said = f"{value(trial.rungs[-1][1])} after validation {trial.rungs[-1][0]}"
    elif not said and trial.why:
        said = cut(" ".join(trial.why.split()), 60)
    seconds = (trial.cost or {}).get("seconds")
    took = duration(float(seconds)) if seconds else "–"
    head = f"[{over:>{len(whole)}}/{whole}]"
    (line,) = aligned([(head, f"trial {trial.trial}", f"{state:9}", said, took, trial.name)])
    return line
