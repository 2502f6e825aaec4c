"""Trials that run: handed to the launcher, watched, taken up again after another driver, ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from espalier.core.launching import Ended, Job, Launcher, Placed
from espalier.sweep.trial_files import end_process, is_alive, outcome_of

_GRACE = 15.0  # seconds in which a process that was started just before a driver's end shows itself


@dataclass
class Running:
    """One of them.

    Attributes:
        placed: None of one that was found running, with no handle: an earlier driver was killed while it placed it.
        began: when it was placed, in the driver's seconds.
        cancelled: whether a driver has ended it, or its own end may have.
        asked: of its last question that was looked at: when the file was written.
        until: of one without a handle: until when its process may show itself.
    """

    job: Job
    placed: Placed | None
    began: float
    cancelled: bool = False
    asked: int = 0
    until: float = 0.0

    @property
    def slot(self) -> str:
        """Where it runs, for people."""
        return self.placed.slot if self.placed else "elsewhere"


class Places:
    """The launcher, and what it has in hand.

    Args:
        launcher: entered.
        now: the time in seconds.
    """

    def __init__(self, launcher: Launcher, now: Callable[[], float]) -> None:
        self.launcher, self._now = launcher, now
        self.running: dict[int, Running] = {}

    def fits(self, job: Job) -> bool:
        """Whether it could be placed now."""
        return self.launcher.fits(job)

    def place(self, trial: int, job: Job) -> Placed:
        """Hand it over."""
        placed = self.launcher.submit(job)
        self.running[trial] = Running(job, placed, self._now())
        return placed

    def reattach(self, trial: int, job: Job, placed: Placed, began: float) -> bool:
        """Take up what an earlier driver placed; False where it no longer lives."""
        if not self.launcher.reattach(placed, job):
            return False
        self.running[trial] = Running(job, placed, began)
        return True

    def await_unknown(self, trial: int, job: Job, began: float) -> None:
        """Wait for a process that an earlier driver may have started without a chance to write down where."""
        self.running[trial] = Running(job, None, began, cancelled=True, until=self._now() + _GRACE)

    def ended(self) -> Iterator[tuple[int, Running, Ended]]:
        """Those that have ended; they are not among the running any more."""
        for trial, running in list(self.running.items()):
            ended = self.launcher.poll(running.placed) if running.placed else self._end_of_unknown(running)
            if ended:
                del self.running[trial]
                yield trial, running, ended

    def cancel(self, *, now: bool) -> None:
        """End all: with a checkpoint, or at once. One without a handle that is not of this machine nobody waits for."""
        for trial, running in list(self.running.items()):
            running.cancelled = True
            if running.placed:
                self.launcher.cancel(running.placed, now=now)
            elif end_process(running.job.directory, now=now):
                running.until = 0.0
            elif now:
                del self.running[trial]

    def _end_of_unknown(self, running: Running) -> Ended | None:
        directory: Path = running.job.directory
        if is_alive(directory, outcome_of(directory)):
            running.until = 0.0  # it has shown itself: its end is its end
            return None
        return None if self._now() < running.until else Ended(1, "its driver was killed", lost=True)
