"""Trials as processes of this machine: started cold, watched, found again by number and beginning, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from espalier.core.errors import UserError
from espalier.core.launching import Ended, ended_with
from espalier.core.machine import oom_kills
from espalier.core.process_group import end_left_behind
from espalier.core.rundir import process_created, read_outcome

MODULE = "espalier.run"
_SAID = {
    "done": 0,
    "paused": 0,
    "failed": 1,
    "interrupted": 128 + signal.SIGTERM,
}  # a status that outcome.json may have


@dataclass
class Process:
    """A trial's process, whoever started it.

    Attributes:
        created: what tells it from a later one that bears its number.
        code: asks for its exit code, -n by signal n; None while it runs.
        killed: whether we sent it a SIGKILL.
    """

    pid: int
    created: float
    code: Callable[[], int | None]
    killed: bool = False

    def __post_init__(self) -> None:
        self._oom = oom_kills()

    def ended(self) -> Ended | None:
        """How it ended; None while it runs."""
        code = self.code()
        return None if code is None else ended_with(code, starved=not self.killed and oom_kills() > self._oom)

    def end(self, *, now: bool) -> None:
        """SIGTERM, by which a run ends in order and takes its ranks along; ``now`` SIGKILL to all of its group."""
        self.killed |= now
        if not lives(self.pid, self.created):
            return
        with suppress(ProcessLookupError):
            if now and os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL if now else signal.SIGTERM)


class NeverStarted(Process):
    """For want of processes, memory, disk, a file: a trial that is lost before it has begun."""

    def __init__(self, error: OSError) -> None:
        super().__init__(0, time.time(), lambda: 1)  # a number that no other bears
        self._why = f"it could not be started: {error}"

    def ended(self) -> Ended:
        """At once."""
        return Ended(1, self._why, lost=True)


def cold(words: list[str], environment: Mapping[str, str], log: Path | None) -> Process:
    """Start ``python -m espalier.run …``: beside the driver where it has a log, else in front, with its terminal.

    Where it cannot be started, that is the end of it, and the trial is lost.
    """
    command = [sys.executable, "-m", MODULE, *words]
    try:
        if log is None:
            child = subprocess.Popen(command, env=environment)
        else:
            with log.open("ab") as file:
                child = subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
                )
    except OSError as error:
        return NeverStarted(error)

    def code() -> int | None:
        end_left_behind(child.pid)
        return child.poll()

    return Process(child.pid, process_created(child.pid) or 0.0, code)


def found(pid: int, created: float, directory: Path) -> Process:
    """One that is nobody's child any more: its directory says how it ended."""

    def code() -> int | None:
        return None if lives(pid, created) else _code_of(directory)

    return Process(pid, created, code)


def lives(pid: int, created: float) -> bool:
    """Whether a process is there, and the same."""
    began = process_created(pid)
    return began is not None and abs(began - created) <= 1


def _code_of(directory: Path) -> int:
    with suppress(UserError):
        return _SAID.get(read_outcome(directory).status, -signal.SIGKILL)
    return -signal.SIGKILL
