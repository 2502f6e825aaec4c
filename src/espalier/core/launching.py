"""Where trials run: the interface between a sweep and a launcher (``launcher=pool``, ``slurm``, ``ray``, ``inline``).

A launcher starts ``python -m espalier.run DIRECTORY [--resume]``, or does what comes to the same, and knows what became
of it. What the trial itself came to stands in its ``outcome.json``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from espalier.core.errors import Fault
from espalier.core.machine import Machine

LOG = "log.txt"  # in the run directory: what a trial prints, one attempt after the other


@dataclass(frozen=True)
class Job:
    """A trial to be placed.

    Attributes:
        directory: its run directory, absolute.
        resume: whether it goes on from what lies there.
        hardware: the resolved ``hardware`` node of its config: how many devices, processes, nodes it takes.
        environment: variables to set for it, beside the driver's.
        verb: ``run`` trains; ``conclude`` tests the best weights of a trial that is done and leaves what a run leaves.
    """

    directory: Path
    resume: bool
    hardware: Mapping[str, Any]
    environment: Mapping[str, str]
    verb: str = "run"


def words_of(job: Job) -> list[str]:
    """The words behind ``python -m espalier.run`` that start it."""
    return [str(job.directory), *(["--resume"] if job.resume else []), *(["--conclude"] * (job.verb == "conclude"))]


def environment_of(job: Job | None = None) -> dict[str, str]:
    """All variables of a process where the driver runs: the driver's, and the job's own."""
    # Libraries read these as they are imported: their notes on loading stay away unless somebody asks for them.
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TOKENIZERS_PARALLELISM": "true"}
    # A module in the working folder never takes the place of an installed one.
    return {**quiet, **os.environ, "PYTHONSAFEPATH": "1", **(job.environment if job else {})}


@dataclass(frozen=True)
class Placed:
    """A job that was handed over; plain enough for JSON, so that another process can find it again.

    Attributes:
        slot: where it runs, for people: ``cpu:0``, ``gpu:1``, ``job 17_3 on n2``.
        handle: what the launcher finds it by: pid and start time, job id, actor name.
    """

    slot: str
    handle: Mapping[str, Any]


@dataclass(frozen=True)
class Ended:
    """How a job's process ended.

    Attributes:
        code: exit code; 128 + n of a signal.
        why: for people, where it did not end by itself: ``killed by SIGKILL``, ``node n2 was lost``.
        out_of_memory: whether the kernel or the cluster says so.
        lost: whether it ended for a reason that is not its own (a node, preemption, a worker): it may go on elsewhere.
    """

    code: int
    why: str = ""
    out_of_memory: bool = False
    lost: bool = False


def ended_with(code: int, *, starved: bool = False) -> Ended:
    """How a process ended, by its exit code, or -n where signal n ended it.

    Args:
        starved: whether the kernel has killed a process for want of memory while it ran.
    """
    if code >= 0:
        return Ended(code)
    if starved and -code == signal.SIGKILL:
        return Ended(128 - code, "the kernel killed it for want of memory", out_of_memory=True)
    names = {int(known): known.name for known in signal.Signals}  # most of the real-time ones have none
    return Ended(128 - code, f"killed by {names.get(-code, f'signal {-code}')}")


class Launcher(Protocol):
    """Places jobs. Used as a context: leaving it ends what the launcher itself started, but no job that still runs."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        """What stands against placing jobs with these ``hardware`` nodes, before anything runs."""

    def machine(self) -> Machine | None:
        """The most that one machine has on which jobs may run; None while that is not known. Asked for every trial."""

    def slots(self) -> list[str]:
        """Every place there is, for people and for estimates; may be short of what a cluster will give."""

    def fits(self, job: Job, /) -> bool:
        """Whether this job could be placed now (asked again and again; must be quick)."""

    def submit(self, job: Job, /) -> Placed:
        """Place it; returns at once."""

    def poll(self, placed: Placed, /) -> Ended | None:
        """How it ended; None while it waits or runs. Must be quick: it is asked many times a second."""

    def reattach(self, placed: Placed, job: Job, /) -> bool:
        """Take up a job that an earlier driver placed; False where it no longer lives."""

    def cancel(self, placed: Placed, /, *, now: bool) -> None:
        """End it: with a checkpoint at the next step (SIGTERM), or ``now`` (SIGKILL). Returns at once."""
