"""``launcher=inline``: one trial at a time on the driver's terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from espalier.core.errors import Fault
from espalier.core.launching import Ended, Job, Placed, environment_of, words_of
from espalier.core.machine import Machine, probe
from espalier.launcher.processes import Process, cold, found, lives

_SLOT = "here"


class Inline:
    """For debugging: ``breakpoint()`` in a part of yours works, and what a trial prints is seen.

    ``espalier train -m launcher=inline sweep.trials=1``
    """

    def __init__(self) -> None:
        self._process: Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started beside the trials."""

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        """Several machines, which there are not."""
        asked = {job["num_nodes"] for job in jobs if isinstance(job.get("num_nodes"), int) and job["num_nodes"] > 1}
        truth, remedy = "asks for several machines, and this one is alone.", "Set hardware.num_nodes=1"
        return [Fault(f"hardware.num_nodes={nodes}", truth, remedy) for nodes in sorted(asked)]

    def machine(self) -> Machine:
        """This one."""
        return probe()

    def slots(self) -> list[str]:
        """The one place."""
        return [_SLOT]

    def fits(self, job: Job, /) -> bool:  # noqa: ARG002 - every job is as good as another
        """Whether the last one has ended."""
        return self._process is None

    def submit(self, job: Job, /) -> Placed:
        """Start it; standard input, output and errors are the driver's."""
        self._process = cold(words_of(job), environment_of(job), None)
        return Placed(_SLOT, {"pid": self._process.pid, "created": self._process.created})

    def poll(self, placed: Placed, /) -> Ended | None:  # noqa: ARG002 - there is one
        """How it ended."""
        ended = self._process.ended() if self._process else None
        if ended:
            self._process = None
        return ended

    def reattach(self, placed: Placed, job: Job, /) -> bool:
        """Watch one that an earlier driver started; its terminal is gone."""
        pid, created = placed.handle["pid"], placed.handle["created"]
        if not lives(pid, created):
            return False
        self._process = found(pid, created, job.directory)
        return True

    def cancel(self, placed: Placed, /, *, now: bool) -> None:  # noqa: ARG002 - there is one
        """End it."""
        if self._process:
            self._process.end(now=now)
