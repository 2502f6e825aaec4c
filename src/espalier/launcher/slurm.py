"""``launcher=slurm``: trials are jobs of a Slurm cluster."""

from __future__ import annotations

import difflib
import importlib.util
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Self, Unpack

from annotated_types import Ge

from espalier.core.errors import Fault, UserError
from espalier.core.launching import Ended, Job, Placed
from espalier.core.machine import Machine
from espalier.launcher.slurm_batches import Batches, Live
from espalier.launcher.slurm_keys import Sbatch
from espalier.launcher.slurm_nodes import machine_of, names, partitions_of
from espalier.launcher.slurm_notes import Notes, batch_of
from espalier.launcher.slurm_order import faults_of, order_of
from espalier.launcher.slurm_queue import Queue, partitions
from espalier.launcher.slurm_submit import How, UnansweredError, refusal

_EARLIER = 60  # seconds by which Slurm may send a signal before its time
_CANCELLED = 30.0  # seconds that leaving waits for scancel
_SETTLED = 5.0  # seconds for a job's last word to be seen through the shared file system


class Slurm:
    """A sweep's trials as jobs; those that begin together and take the same are one array.

    ``espalier train -m launcher=slurm launcher.partition=gpu launcher.time=120 …``

    A trial that reaches its time limit, is driven out or queued again goes on from its checkpoint, in its directory.

    Args:
        jobs: most trials at once, waiting or running.
        setup: shell lines before a trial begins.
        grace: seconds before the time limit at which a trial is told.
        limits: how many time limits a trial may use up.
        sbatch: parameters of ``sbatch`` by their names.
    """

    def __init__(
        self,
        *,
        jobs: Annotated[int, Ge(1)],
        setup: list[str],
        grace: Annotated[int, Ge(10)],
        limits: Annotated[int, Ge(0)],
        **sbatch: Unpack[Sbatch],
    ) -> None:
        self.jobs = jobs
        self.sbatch: dict[str, Any] = dict(sbatch)
        how = How(setup, grace, limits, jobs)
        self._batches = Batches(how, self.sbatch.pop("time"), partitions_of(self.sbatch))
        self._queue = Queue()
        self._live: dict[str, Live] = {}
        self._ended: dict[str, Ended] = {}
        self._cancels: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Hand over what waits; jobs stay."""
        self._batches.hand_over(self._queue, at_once=True)
        until = time.monotonic() + _CANCELLED
        for process in self._cancels:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:  # the controller does not answer: what the job finds noted ends it
                process.kill()
                process.wait()
        self._queue.close()

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        """A package or a cluster that is not there, a partition that is not; what ``sbatch`` itself refuses."""
        if importlib.util.find_spec("submitit") is None:
            return [Fault("launcher=slurm", "needs the package submitit.", "pip install 'espalier[slurm]'")]
        if shutil.which("sbatch") is None or shutil.which("srun") is None:
            truth = "needs a Slurm cluster, and there is no sbatch here."
            return [Fault("launcher=slurm", truth, "Type it on a login node, or set launcher=pool")]
        try:
            known = partitions()
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return [Fault("launcher=slurm", f"cannot reach the cluster: {error}.", "See:  sinfo")]
        wrong = [*self._wrong_partitions([partition.name for partition in known]), *self._wrong_time()]
        wrong += [fault for hardware in jobs for fault in faults_of(hardware, self.sbatch)]
        return list(dict.fromkeys(wrong)) or list(self._refusals(jobs))

    def machine(self) -> Machine | None:
        """The largest node that is asked for; None where Slurm does not say."""
        return self._machine

    @cached_property
    def _machine(self) -> Machine | None:
        return machine_of(self.sbatch)

    def slots(self) -> list[str]:
        """As many as are handed over at once; how many of them run is the cluster's."""
        return [f"slurm:{number}" for number in range(self.jobs)]

    def fits(self, _: Job, /) -> bool:
        """Whether fewer than ``jobs`` wait or run."""
        return len(self._live) < self.jobs

    def submit(self, job: Job, /) -> Placed:
        """Note it; it is handed over with those that come within a moment."""
        notes = Notes.begin(job)
        taken = {live.number for live in self._live.values()}
        live = Live(next(number for number in range(len(taken) + 1) if number not in taken), notes)
        self._live[notes.place] = live
        self._batches.add(live, job, order_of(job.hardware, self.sbatch))
        return Placed(f"slurm:{live.number}", notes.handle)

    def poll(self, placed: Placed, /) -> Ended | None:
        """By the job's own word, or the queue's where it has none."""
        self._batches.hand_over(self._queue)
        self._queue.look()
        self._cancels = [process for process in self._cancels if process.poll() is None]
        place = str(placed.handle["place"])
        if place not in self._live:
            return self._ended.get(place)
        if ended := self._end_of(self._live[place]):
            self._ended[place] = ended
            del self._live[place]
        return ended

    def reattach(self, placed: Placed, _: Job, /) -> bool:
        """By the job's id; where an earlier driver did not live to write it down, by the comment that it bears.

        Raises:
            UserError: the cluster does not answer, and the job may live.
        """
        notes = Notes.of(placed.handle)
        if notes.ended:
            return False
        if not (self._queue.seen or self._queue.look_now() or self._queue.look_now()):
            truth = "cannot reach the cluster, on which trials may be running: squeue does not answer."
            raise UserError(Fault("launcher=slurm", truth, "See:  squeue --me , then go on with the sweep."))
        if not (job_id := notes.job_id):
            token, index = batch_of(notes) or ("", "")
            array = self._queue.commented(token) if token else ""
            job_id = f"{array}{index}" if array else ""
        row = self._queue.rows.get(job_id)
        if row is None or row.is_over:
            return False
        notes.write_job_id(job_id)
        number = int(placed.slot.rpartition(":")[2])
        self._live[notes.place] = Live(number, notes, job_id, self._queue.seen)
        return True

    def cancel(self, placed: Placed, /, *, now: bool) -> None:
        """A job that waits is taken out; one that runs gets SIGTERM, or SIGKILL."""
        live = self._live.get(str(placed.handle["place"]))
        if live is None or self._batches.drop(live):
            return
        live.notes.write_cancelled(now=now)
        gently = "scancel --state=PENDING $0; scancel --state=RUNNING --signal=TERM $0"
        live.killed |= now
        if live.job_id:
            self._call("scancel $0" if now else gently, live.job_id)  # SIGTERM: the job looks which of the two it is

    def _end_of(self, live: Live) -> Ended | None:
        said = live.gone or live.notes.ended
        if said and (said.code != 137 or said.out_of_memory or live.notes.is_cancelled):
            return said
        if not live.job_id or self._queue.seen <= live.since:
            return None
        row = self._queue.rows.get(live.job_id)  # which alone knows why a process was killed
        if row and not row.is_over:
            live.over = 0.0  # it was queued again
            return None
        told = row.ended() if row else Ended(1, "its job is gone from the queue", lost=True)
        if live.killed:
            return said or Ended(137, "killed at once")
        if row and row.state == "PENDING":
            self._call("scancel $0", live.job_id)
            return told
        if said or (row and row.state not in ("COMPLETED", "FAILED")):
            return said if said and not told.out_of_memory else told
        live.over = live.over or time.monotonic()
        return _silent(live.notes, live.job_id, told) if time.monotonic() > live.over + _SETTLED else None

    def _call(self, line: str, job_id: str) -> None:
        command, none = ["sh", "-c", line, job_id], subprocess.DEVNULL
        self._cancels.append(subprocess.Popen(command, stdin=none, stdout=none, stderr=none))

    def _wrong_partitions(self, known: list[str]) -> Iterator[Fault]:
        for name in names(self.sbatch.get("partition")):
            if name not in known:
                guess = next(iter(difflib.get_close_matches(name, known, n=1)), "")
                remedy = f"Did you mean  launcher.partition={guess} ?" if guess else f"It has: {', '.join(known)}."
                yield Fault(f"launcher.partition={name}", "is no partition of this cluster.", remedy)

    def _wrong_time(self) -> Iterator[Fault]:
        try:
            minutes, grace = self._batches.minutes(), self._batches.how.grace
            if minutes * 60 <= grace + _EARLIER:
                truth = f"and a grace of {grace} s: a trial would be told to end as it begins."
                yield Fault(f"launcher.time={minutes}", truth, "Set a longer time, or less of launcher.grace.")
        except ValueError as error:
            remedy = "Write minutes, or hours:minutes:seconds, or days-hours."
            yield Fault(f"launcher.time={error}", "is no time.", remedy)
        except UnansweredError as error:
            yield Fault("launcher=slurm", f"cannot reach the cluster: {error}.", "See:  sinfo")

    def _refusals(self, jobs: list[Mapping[str, Any]]) -> Iterator[Fault]:
        for order in dict.fromkeys(order_of(hardware, self.sbatch) for hardware in jobs):
            if said := refusal(order, self._batches.minutes()):
                yield Fault("launcher=slurm", f"sbatch would refuse it: {said}.", f"It was asked for {order}.")


def _silent(notes: Notes, job_id: str, told: Ended) -> Ended:
    """A job that ended, and did not live to say how: with the end of what Slurm's script printed."""
    log = notes.folder / f"{job_id}_0_log.out"
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    said = f"; it printed: {lines[-1]}" if lines else ""
    return replace(told, why=told.why + said, lost=True)
