"""What runs on a node of a Slurm cluster: a trial's process, and what becomes of it when Slurm wants the node back.

Slurm signals every process of a job: SIGUSR2 some time before the time limit, SIGTERM when it drives the job out, or
queues it again. The trial answers SIGTERM with a checkpoint; whichever came, the job is queued again and goes on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from espalier.core.errors import UserError
from espalier.core.launching import LOG, Ended, Job, ended_with, environment_of, words_of
from espalier.core.lock import is_held
from espalier.core.machine import oom_kills
from espalier.core.rundir import read_outcome
from espalier.launcher.slurm_notes import Notes

_LOOK = 0.1
_RELEASED = 120.0  # seconds for a process on a node that was lost to let go of the trial's directory
_BUSY = 75  # exit code: it did not


@dataclass
class Task:
    """One trial; ``submitit`` carries it to the node, and calls it there in each of the job's processes.

    Args:
        job: the trial.
        notes: of this placing of it.
        grace: seconds that it has for a checkpoint.
        processes: that it makes of each of Slurm's.
    """

    job: Job
    notes: Notes
    grace: int
    processes: int = 1
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __call__(self) -> int:
        """Run it to its end.

        Raises:
            SystemExit: with the trial's exit code, where that is not 0.
        """
        if (before := self._over()) is not None:
            return _leave(before)
        try:
            ended = self._run()
        except Exception as error:  # of submitit: no more time limits are to be used up, or Slurm refuses to queue it
            self._note(Ended(143, str(error), lost=isinstance(error, subprocess.SubprocessError)))
            raise
        if ended.code == 128 + signal.SIGTERM and not self.notes.is_cancelled and _queued_again():
            return _leave(ended)  # there is more to come
        self._note(ended)
        return _leave(ended)

    def checkpoint(self) -> Any:
        """Called by ``submitit`` in the first process when time runs out: what is to be run when the job begins again.

        Raises:
            SystemExit: the trial has ended in the meantime, and nothing is to be run.
        """
        from submitit.helpers import DelayedSubmission

        child = self._child
        if child is not None:
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)
            until = time.monotonic() + max(1, self.grace - 5)
            while (code := child.poll()) is None and time.monotonic() < until:
                time.sleep(_LOOK)
            if code is not None and (ended := ended_with(code)).code not in (143, 130):
                self._note(ended)
                _leave(ended)
                raise SystemExit(0)
        return DelayedSubmission(replace(self, _child=None))

    def _over(self) -> Ended | None:
        """How it ended, where Slurm began the job again though there is nothing left to do."""
        if (ended := self.notes.ended) or not _is_first():
            return ended
        if self.notes.is_cancelled:
            self._note(Ended(143, "cancelled before it began"))
        until = time.monotonic() + _RELEASED
        while not self.notes.ended and is_held(self.job.directory):
            if time.monotonic() > until:
                self._note(Ended(_BUSY, "another process holds its directory", lost=True))
                return self.notes.ended
            time.sleep(_LOOK)
        with suppress(UserError):
            if self.job.verb == "run" and read_outcome(self.job.directory).status == "done":
                self._note(Ended(0))
        return self.notes.ended

    def _run(self) -> Ended:
        job, kills = self.job, oom_kills()
        begun = job.verb == "run" and (job.directory / "metrics.jsonl").exists()
        environment = {**environment_of(job), **_placement(os.environ, self.processes)}
        with (job.directory / LOG).open("ab", buffering=0) as log:
            if _is_first():
                log.write(f"[slurm] job {_job_id()} on {os.environ.get('SLURMD_NODENAME', '')}\n".encode())
            self._child = subprocess.Popen(
                [sys.executable, "-m", "espalier.run", *words_of(replace(job, resume=job.resume or begun))],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_deaf,
            )
        signal.signal(signal.SIGTERM, self._hear)
        while (code := _poll(self._child)) is None:
            time.sleep(_LOOK)
        return ended_with(code, starved=oom_kills() > kills)

    def _hear(self, *_: object) -> None:
        """The trial has heard it too; Slurm has no way to say that it is to end at once, as the driver may want it."""
        if self._child is not None and self.notes.is_killed:
            with suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGKILL)

    def _note(self, ended: Ended) -> None:
        if _is_first():
            self.notes.write_ended(ended)


def _deaf() -> None:
    # Of all signals that Slurm sends to every process, this one would end those that do not know it.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def _poll(child: subprocess.Popen[bytes]) -> int | None:
    """Its exit code; a signal's handler, which asks as well, has to wait for the answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        return child.poll()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _leave(ended: Ended) -> int:
    if ended.code:
        raise SystemExit(ended.code)
    return 0


def _queued_again() -> bool:
    """Whether Slurm begins this job again by itself, or, where it is being driven out, because it is told to here."""
    job = os.environ.get("SLURM_JOB_ID", "")
    told = subprocess.run(["scontrol", "show", "job", "-o", job], capture_output=True, text=True, check=False)
    known = dict(word.split("=", 1) for word in told.stdout.split() if "=" in word)
    if int(known.get("Restarts", "0")) > int(os.environ.get("SLURM_RESTART_COUNT", "0")):
        return True
    if known.get("JobState") != "RUNNING" or known.get("PreemptTime", "None") == "None":
        return False
    return subprocess.run(["scontrol", "requeue", job], check=False).returncode == 0


def _is_first() -> bool:
    return os.environ.get("SLURM_PROCID", "0") == "0"


def _job_id() -> str:
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID')}" if array else os.environ.get("SLURM_JOB_ID", "")


def _placement(given: Mapping[str, str], processes: int) -> dict[str, str]:
    """Threads of a process by what Slurm gave it; the address of the first, where its node's name is none."""
    found = {} if "OMP_NUM_THREADS" in given else {"OMP_NUM_THREADS": str(max(1, _cpus(given) // processes))}
    if int(given.get("SLURM_STEP_NUM_TASKS", "1")) == 1 or "MASTER_ADDR" in given:
        return found
    first = subprocess.run(
        ["scontrol", "show", "hostnames", given.get("SLURM_STEP_NODELIST", "")],
        capture_output=True, text=True, check=False,
    ).stdout.partition("\n")[0]  # fmt: skip
    try:
        socket.getaddrinfo(first, None)
    except OSError:
        found["MASTER_ADDR"] = given.get("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1")
    return found


def _cpus(given: Mapping[str, str]) -> int:
    """Of this one of Slurm's processes."""
    if "SLURM_CPUS_PER_TASK" in given:
        return int(given["SLURM_CPUS_PER_TASK"])
    tasks = given.get("SLURM_STEP_TASKS_PER_NODE", "1")  # 2(x3),1
    return int(given.get("SLURM_CPUS_ON_NODE", "1")) // int(tasks.partition("(")[0].partition(",")[0])
