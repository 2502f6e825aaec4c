"""``launcher=pool``: this machine, as many trials at a time as it has room for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.errors import Fault
from espalier.core.launching import LOG, Ended, Job, Placed, environment_of, words_of
from espalier.core.machine import Machine, gpu_names, memory, probe
from espalier.core.rundir import process_created
from espalier.launcher.processes import Process, cold, found, lives
from espalier.launcher.slots import Slot, Slots
from espalier.launcher.warm import Fork, WarmParent

_MEMORY = 1_500_000_000  # bytes of a small trial: so many places at most, where it is not said how many
_STARTS = 3  # a warm parent that keeps on ending is done without


class Pool:
    """Each GPU a place, or the CPU cores divided among the trials; a place that falls free is taken at once.

    ``espalier train -m launcher=pool launcher.trials=4 optimizer.lr=1e-4,1e-3``

    Args:
        trials: how many at a time.
        gpus_per_trial: of a trial that leaves ``hardware.devices`` to the machine.
        trials_per_gpu: that share a GPU.
        threads_per_trial: CPU threads of a place.
        warm: whether trials are forked from a parent that has imported what they need.
    """

    def __init__(
        self,
        *,
        trials: Annotated[int, Ge(1)] | Literal["auto"],
        gpus_per_trial: Annotated[int, Ge(1)],
        trials_per_gpu: Annotated[int, Ge(1)],
        threads_per_trial: Annotated[int, Ge(1), AtMost("cpus")] | Literal["auto"],
        warm: bool,
    ) -> None:
        self._trials = None if trials == "auto" else trials
        self._threads = None if threads_per_trial == "auto" else threads_per_trial
        self._slots = Slots(
            probe(),
            gpu_names(),
            trials=self._trials,
            gpus_per_trial=gpus_per_trial,
            trials_per_gpu=trials_per_gpu,
            threads=self._threads,
            most=max(1, memory().free // _MEMORY) if memory().total else probe().cpus,
        )
        # Elsewhere than on Linux, what libraries start as they are imported does not survive a fork.
        self._warm = _STARTS if warm and sys.platform == "linux" else 0
        self._parent: WarmParent | None = None
        self._running: dict[tuple[int, float], tuple[Process, Slot]] = {}  # a number alone may be given again

    def __enter__(self) -> Self:
        self._start_parent()
        return self

    def __exit__(self, *_: object) -> None:
        if self._parent:
            self._parent.leave()
            self._parent = None

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        """Trials that ask for more than this machine has; places that would take more threads than there are cores."""
        faults = [fault for hardware in jobs if (fault := self._slots.fault(hardware))]
        cores = self._slots.machine.cpus
        if self._trials and self._threads and self._trials * self._threads > cores:
            truth = f"and launcher.trials={self._trials} take {self._trials * self._threads} of {cores} CPU cores."
            faults.append(Fault(f"launcher.threads_per_trial={self._threads}", truth, "Leave one of them out."))
        return list(dict.fromkeys(faults))

    def machine(self) -> Machine:
        """This one."""
        return self._slots.machine

    def slots(self) -> list[str]:
        """Places, by their GPUs where there are some."""
        return self._slots.names()

    def fits(self, job: Job, /) -> bool:
        """Whether there is a free place; while the first parent still imports, there is none."""
        if self._parent and not self._parent.ready and self._parent.lives():
            self._parent.listen()
            if not self._parent.ready:
                return False
        return self._slots.find(job.hardware) is not None

    def submit(self, job: Job, /) -> Placed:
        """Fork it, or start it anew where there is no parent to fork from."""
        slot = self._slots.find(job.hardware)
        if slot is None:
            raise RuntimeError(f"no place is free for {job.directory}")
        process = self._fork(job, slot) or cold(words_of(job), _environment(job, slot), job.directory / LOG)
        self._slots.take(slot)
        self._running[process.pid, process.created] = process, slot
        handle = {"host": os.uname().nodename, "pid": process.pid, "created": process.created, "slot": asdict(slot)}
        return Placed(str(slot), handle)

    def poll(self, placed: Placed, /) -> Ended | None:
        """How it ended."""
        process, slot = self._running[_key(placed)]
        ended = process.ended()
        if ended:
            self._slots.free(slot)
            del self._running[_key(placed)]
        return ended

    def reattach(self, placed: Placed, job: Job, /) -> bool:
        """Watch one that an earlier driver placed on this machine, and keep its place taken."""
        pid, created, slot = (placed.handle[name] for name in ("pid", "created", "slot"))
        if placed.handle["host"] != os.uname().nodename or not lives(pid, created):
            return False
        kept = Slot(slot["kind"], tuple(slot["places"]), slot["threads"], tuple(slot["gpus"]))
        self._slots.take(kept)
        self._running[_key(placed)] = found(pid, created, job.directory), kept
        return True

    def cancel(self, placed: Placed, /, *, now: bool) -> None:
        """End it."""
        if running := self._running.get(_key(placed)):
            running[0].end(now=now)

    def _start_parent(self) -> None:
        if self._warm:
            self._warm -= 1
            try:
                self._parent = WarmParent(environment_of())
            except OSError as error:
                _say(f"trials are started anew, since the process that they are forked from cannot be: {error}")

    def _fork(self, job: Job, slot: Slot) -> Process | None:
        """A process forked from the warm parent; None where there is none, and that is said once."""
        if self._parent and not self._parent.lives():
            _say(f"the process that trials are forked from has ended: {self._parent.last_words() or 'no last words'}")
            self._parent.leave()
            self._parent = None
            self._start_parent()  # this trial begins anew, later ones will find it
        parent = self._parent
        if parent is None or not parent.ready:
            return None
        answer = parent.fork(words_of(job), _environment(job, slot), str(job.directory / LOG), slot.threads)
        if not isinstance(answer, Fork):
            if answer is not None and parent.lives():
                _say(f"trials are started anew, since they cannot be forked: {answer}")
                parent.leave()
                self._parent, self._warm = None, 0
            return None
        created = process_created(answer.pid) or 0.0
        return Process(answer.pid, created, _code(parent, answer, created, job))


def _key(placed: Placed) -> tuple[int, float]:
    return placed.handle["pid"], placed.handle["created"]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _code(parent: WarmParent, fork: Fork, created: float, job: Job) -> Callable[[], int | None]:
    alone = found(fork.pid, created, job.directory)

    def code() -> int | None:
        known = parent.code(fork)
        return alone.code() if known is None and not parent.lives() else known

    return code


def _environment(job: Job, slot: Slot) -> dict[str, str]:
    return {**environment_of(job), **slot.environment()}
