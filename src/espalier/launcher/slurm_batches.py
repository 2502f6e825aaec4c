"""Trials that are handed to Slurm together: those that come within a moment and take the same are one array."""

from __future__ import annotations

import secrets
import subprocess
import time
from dataclasses import dataclass, field

from espalier.core.launching import Ended, Job
from espalier.launcher.slurm_notes import Notes, forget_batch, write_batch
from espalier.launcher.slurm_order import Order
from espalier.launcher.slurm_queue import Queue, largest_array, minutes_of, partitions
from espalier.launcher.slurm_submit import FullError, How, RefusedError, UnansweredError, submit
from espalier.launcher.slurm_task import Task

_GATHER = 0.2  # seconds without a further trial, after which those that wait are handed over
_AGAIN = 15.0  # seconds until a controller that did not answer is asked once more


@dataclass
class Live:
    """A trial that is placed.

    Attributes:
        number: of its slot.
        job_id: ``""`` while it is not handed over.
        since: when it was; a look at the queue that began later knows it.
        over: when the queue first showed it as over while the job itself had not said so.
        gone: how it ended, where it never became a job.
        killed: whether the driver ended it at once.
    """

    number: int
    notes: Notes
    job_id: str = ""
    since: float = 0.0
    over: float = 0.0
    gone: Ended | None = None
    killed: bool = False


@dataclass
class _Batch:
    order: Order
    waiting: list[tuple[Live, Job]] = field(default_factory=list)
    due: float = 0.0
    token: str = ""  # of the first attempt to hand it over; nothing is added after it


class Batches:
    """What waits.

    Args:
        how: see there.
        time_limit: as set; null: what the partition gives.
        names: of the partitions that are set.
    """

    def __init__(self, how: How, time_limit: int | str | None, names: list[str]) -> None:
        self.how, self._time_limit, self._names = how, time_limit, names
        self._batches: list[_Batch] = []
        self._largest = 0

    def add(self, live: Live, job: Job, order: Order) -> None:
        """Let it wait for its like."""
        open_ones = (batch for batch in self._batches if batch.order == order and not batch.token)
        batch = next(open_ones, None)
        if batch is None or batch.waiting[0][0].notes.folder != live.notes.folder:
            batch = _Batch(order)
            self._batches.append(batch)
        batch.waiting.append((live, job))
        batch.due = max(batch.due, time.monotonic() + _GATHER)

    def drop(self, live: Live) -> bool:
        """Take one out; False where it does not wait."""
        for batch in self._batches:
            kept = [(other, job) for other, job in batch.waiting if other is not live]
            if len(kept) < len(batch.waiting) and not batch.token:
                batch.waiting = kept
                live.gone = Ended(143, "cancelled before it was handed over")
                self._batches = [batch for batch in self._batches if batch.waiting]
                return True
        return False

    def hand_over(self, queue: Queue, *, at_once: bool = False) -> None:
        """What is due."""
        due = [batch for batch in self._batches if at_once or batch.due <= time.monotonic()]
        while due:
            batch = due.pop(0)
            try:
                if len(batch.waiting) > 1 and not batch.token and len(batch.waiting) > self._most():
                    due[:0] = self._split(batch, self._most())
                    continue
                self._hand_over(batch, queue)
            except UnansweredError:
                batch.due = time.monotonic() + _AGAIN
                continue
            except FullError as error:
                forget_batch(batch.waiting[0][0].notes.folder, batch.token)
                batch.token = ""
                if len(batch.waiting) > 1:
                    first, rest = self._split(batch, len(batch.waiting) // 2)
                    due.insert(0, first)
                    rest.due = time.monotonic() + _AGAIN
                    continue
                if any(not row.is_over for row in queue.rows.values()):
                    batch.due = time.monotonic() + _AGAIN  # there is room when one of them has ended
                    continue
                batch.waiting[0][0].gone = Ended(2, f"sbatch: {error}")
            except RefusedError as error:
                for live, _ in batch.waiting:
                    live.gone = Ended(2, f"sbatch: {error}")
            self._batches.remove(batch)

    def minutes(self) -> int:
        """The time limit of a job.

        Raises:
            UnansweredError: it is the partition's, and the cluster does not say.
        """
        if self._time_limit is None:
            try:
                known = partitions()
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                raise UnansweredError(str(error)) from None
            limits = [p.minutes for p in known if (p.name in self._names if self._names else p.is_default)]
            self._time_limit = min(limits, default=60)
        return minutes_of(self._time_limit)

    def _most(self) -> int:
        """Trials of one array."""
        if not self._largest:
            try:
                self._largest = largest_array()
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                raise UnansweredError(str(error)) from None
        return self._largest

    def _split(self, batch: _Batch, first: int) -> tuple[_Batch, _Batch]:
        """Two in its place, neither of them handed over yet."""
        halves = (_Batch(batch.order, batch.waiting[:first]), _Batch(batch.order, batch.waiting[first:]))
        at = self._batches.index(batch)
        self._batches[at : at + 1] = halves
        return halves

    def _hand_over(self, batch: _Batch, queue: Queue) -> None:
        places = [live.notes for live, _ in batch.waiting]
        if batch.token and not queue.look_now():  # what was not answered may have been heard
            raise UnansweredError("squeue does not answer")
        if not (array := queue.commented(batch.token) if batch.token else ""):
            minutes = self.minutes()
            batch.token = batch.token or f"espalier-{secrets.token_hex(4)}"
            write_batch(places[0].folder, batch.token, [notes.place for notes in places])
            tasks = [Task(job, live.notes, self.how.grace, batch.order.processes) for live, job in batch.waiting]
            ids = submit(batch.order, tasks, batch.token, minutes, self.how)
        else:
            ids = [f"{array}_{index}" for index in range(len(places))] if len(places) > 1 else [array]
        for (live, _), job_id in zip(batch.waiting, ids, strict=True):
            live.job_id, live.since = job_id, time.monotonic()
            live.notes.write_job_id(job_id)
