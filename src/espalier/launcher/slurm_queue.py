"""The cluster's queue, looked at for all jobs together, at most once a second or so, while nobody waits for it."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from espalier.core.launching import Ended

_EVERY, _SELDOM = 1.0, 10.0  # a controller serves thousands: it is asked less often while nothing happens
_QUIET = 60.0  # seconds without a change, after which that is so
_PATIENCE = 120.0  # seconds until squeue is given up
_LOST = {"NODE_FAIL", "PREEMPTED", "TIMEOUT", "BOOT_FAIL", "DEADLINE", "REVOKED"}
_OVER = _LOST | {"COMPLETED", "FAILED", "CANCELLED", "OUT_OF_MEMORY"}
_FOR_EVER = {"BadConstraints", "DependencyNeverSatisfied", "PartitionTimeLimit", "InvalidAccount", "InvalidQOS"}
_WAITING = {"PENDING", "REQUEUE_HOLD", "SPECIAL_EXIT"}
_HELD = {"launch failed requeued held", "JobHoldMaxRequeue"}


@dataclass(frozen=True)
class Row:
    """What ``squeue`` says of one job."""

    state: str
    nodes: str
    reason: str
    comment: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it, not even by waiting."""
        return self.state in _OVER or (self.state in _WAITING and self.reason in _FOR_EVER | _HELD)

    def ended(self) -> Ended:
        """How it ended, by what Slurm knows."""
        words = {
            "NODE_FAIL": f"node {self.nodes} was lost",
            "PREEMPTED": "Slurm drove it out",
            "TIMEOUT": "its time was over",
            "CANCELLED": "cancelled (scancel)",
            "OUT_OF_MEMORY": "it took more memory than its job has",
        }
        why = words.get(self.state, f"its job ended as {self.state}")
        if self.state in _WAITING:
            held = self.reason in _HELD
            why = "Slurm could not begin it again" if held else "it can never begin"
            return Ended(1, f"{why}: {self.reason}", lost=held)
        code = {"CANCELLED": 143, "TIMEOUT": 143, "PREEMPTED": 143, "OUT_OF_MEMORY": 137, "COMPLETED": 0}
        lost = self.state in _LOST or self.state == "COMPLETED"
        return Ended(code.get(self.state, 1), why, out_of_memory=self.state == "OUT_OF_MEMORY", lost=lost)


class Queue:
    """This user's jobs, those that ended within the last minutes too (as long as Slurm keeps them)."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.seen = 0.0  # when the look began that these rows are of
        self._changed = time.monotonic()
        self._asked = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._answer: IO[str] | None = None

    def look(self) -> None:
        """Take up the answer if it is there, and ask again if that is due; never waits."""
        if self._process is not None:
            self._collect()
            return
        now = time.monotonic()
        if now - self._asked >= (_EVERY if now - self._changed < _QUIET else _SELDOM):
            self._ask()

    def look_now(self) -> bool:
        """Wait for an answer to a question that is asked now; False where there is none: nothing is known then."""
        self._wait()
        self._ask()
        asked = self._asked
        self._wait()
        return self.seen == asked

    def close(self) -> None:
        """Ask no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def commented(self, token: str) -> str:
        """Id of the job, or of the array, whose comment begins with a token; ``""`` where there is none."""
        return next((key.partition("_")[0] for key, row in self.rows.items() if row.comment.startswith(token)), "")

    def _wait(self) -> None:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE)
            self._collect()
            self.close()

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._answer = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - it outlives this; a pipe fills up
        asked = ["--noheader", "--array", f"--user={os.getuid()}", "--states=all", "--format=%i|%T|%r|%k|%N"]
        self._process = subprocess.Popen(["squeue", *asked], stdout=self._answer, stderr=subprocess.DEVNULL, text=True)

    def _collect(self) -> None:
        assert self._process is not None and self._answer is not None
        code = self._process.poll()
        if code is None:
            if time.monotonic() - self._asked > _PATIENCE:
                self.close()
            return
        self._answer.seek(0)
        lines = self._answer.read().splitlines()
        self.close()
        if code == 0:  # else the controller does not answer, and nothing is known that was not before
            rows = rows_of(lines)
            if rows != self.rows:
                self._changed = time.monotonic()
            self.rows, self.seen = rows, self._asked


def rows_of(lines: Sequence[str]) -> dict[str, Row]:
    """Job id -> what a line says of it."""
    fields = [line.split("|") for line in lines if line.count("|") >= 4]
    return {job: Row(state, nodes[0], reason, comment) for job, state, reason, comment, *nodes in fields}


def minutes_of(time_limit: int | str) -> int:
    """Of a limit as Slurm writes it: ``90``, ``90:00``, ``1:30:00``, ``1-12``, ``1-12:30``; at least 1.

    Raises:
        ValueError: it is none.
    """
    if isinstance(time_limit, int):
        return max(1, time_limit)
    found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", time_limit.strip())
    if not found:
        raise ValueError(time_limit)
    days, *rest = found.groups()
    numbers = [int(number) for number in rest if number is not None]
    if days is not None:
        seconds = int(days) * 86400 + sum(n * unit for n, unit in zip(numbers, (3600, 60, 1), strict=False))
    else:
        units = (60,) if len(numbers) == 1 else (60, 1) if len(numbers) == 2 else (3600, 60, 1)
        seconds = sum(n * unit for n, unit in zip(numbers, units, strict=True))
    return max(1, -(-seconds // 60))


@dataclass(frozen=True)
class Partition:
    """One of the cluster's queues; ``minutes``: what a job has that says nothing of time."""

    name: str
    minutes: int
    is_default: bool


def partitions() -> list[Partition]:
    """The cluster's.

    Raises:
        RuntimeError: it does not answer; with what it says instead.
    """
    told = subprocess.run(
        ["scontrol", "show", "partition", "-o"], capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if told.returncode:
        raise RuntimeError(next(iter(reversed((told.stderr or told.stdout).strip().splitlines())), "no answer"))
    lines = [line.split() for line in told.stdout.splitlines()]
    return [_partition(dict(word.split("=", 1) for word in words if "=" in word)) for words in lines]


def largest_array() -> int:
    """How many jobs an array may have.

    Raises:
        RuntimeError: the cluster does not answer.
    """
    told = subprocess.run(
        ["scontrol", "show", "config"], capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", told.stdout, re.MULTILINE)
    if told.returncode or not found:
        raise RuntimeError(told.stderr.strip() or "no answer")
    return max(1, int(found[1]))  # its indices are below that


def _partition(told: Mapping[str, str]) -> Partition:
    for limit in (told.get("DefaultTime", "NONE"), told.get("MaxTime", "UNLIMITED")):
        if limit not in ("NONE", "UNLIMITED", "INFINITE"):
            return Partition(told["PartitionName"], minutes_of(limit), told.get("Default") == "YES")
    return Partition(told["PartitionName"], 365 * 24 * 60, told.get("Default") == "YES")
