"""Handing trials over to Slurm, by ``submitit``."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espalier.launcher.slurm_order import Order
from espalier.launcher.slurm_task import Task

_UNANSWERED = re.compile(r"timed out|Unable to contact|Connection refused|temporarily|try again", re.IGNORECASE)
_FULL = re.compile(r"MaxSubmitJob")  # QOSMaxSubmitJobPerUserLimit, AssocMaxSubmitJobLimit
# A process started inside a job would take these for its own; SLURM_CONF and what sbatch reads (SBATCH_…) stay.
_OF_A_JOB = ("SLURM_", "SLURMD_", "SRUN_", "SUBMITIT_")
_DEFAULT = "SBATCH_"
_OURS = {
    "array", "chdir", "clusters", "error", "export", "export_file", "get_user_env", "input", "job_name", "open_mode",
    "output", "requeue", "signal", "test_only", "time", "wait", "wrap",
}  # fmt: skip
_OF_RANKS = ("MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK")


class RefusedError(Exception):
    """Slurm says no."""


class FullError(Exception):
    """Slurm takes no more jobs of this user for now."""


class UnansweredError(Exception):
    """Slurm does not answer; it may have taken what it was given."""


@dataclass(frozen=True)
class How:
    """What is the same for all jobs of a sweep.

    Attributes:
        setup: lines of the script.
        grace: seconds before the time limit at which a job is told.
        limits: how many limits a job may use up.
        jobs: of an array, most at once.
    """

    setup: list[str]
    grace: int
    limits: int
    jobs: int


def submit(order: Order, tasks: Sequence[Task], token: str, minutes: int, how: How) -> list[str]:
    """One job, or an array; their ids.

    Args:
        order: what they take.
        tasks: of one folder.
        token: by which they are found again.
        minutes: time limit.
        how: the rest.

    Raises:
        RefusedError: by ``sbatch``.
        FullError: it would take fewer jobs, or these later.
        UnansweredError: it could not be asked.
    """
    from submitit.core.utils import FailedJobError

    try:
        with _environment(order):
            executor = _executor(order, tasks[0].notes.folder, token, minutes, how)
            return [job.job_id for job in executor.submit_array(tasks)]
    except (FailedJobError, subprocess.SubprocessError, OSError) as error:
        raise _meaning(str(error)) from None


def refusal(order: Order, minutes: int) -> str:
    """What ``sbatch`` says against it now, before anything runs; ``""`` where it would take it."""
    lines = {"nodes": order.nodes, "ntasks_per_node": order.tasks, "time": minutes, **dict(order.parameters)}
    flags = [f"--{key.replace('_', '-')}" + ("" if value is True else f"={value}") for key, value in lines.items()]
    with _environment(order):
        told = subprocess.run(
            ["sbatch", "--test-only", *flags, "--wrap=true"], capture_output=True, text=True, timeout=120, check=False
        )
    if not told.returncode:
        return ""
    said = [line.rpartition("error: ")[2] for line in told.stderr.splitlines() if "error: " in line]
    return (said or told.stderr.strip().splitlines() or ["it gave no reason"])[-1].rpartition("allocation failure: ")[2]


def _executor(order: Order, folder: Path, token: str, minutes: int, how: How) -> Any:
    """Submitit's, which writes the script."""
    from submitit import SlurmExecutor

    others = {key.replace("_", "-"): value for key, value in order.parameters}
    others["comment"] = " ".join(filter(None, (token, str(others.get("comment", "")))))
    # Since Slurm 22.05 srun does not ask for as many CPUs as sbatch did, unless it is told to.
    cpus = [f"--cpus-per-task={others['cpus-per-task']}"] if "cpus-per-task" in others else []
    executor = SlurmExecutor(folder, max_num_timeout=how.limits)
    executor.update_parameters(
        job_name=folder.parent.parent.name,
        time=minutes,
        nodes=order.nodes,
        ntasks_per_node=order.tasks,
        setup=how.setup,
        signal_delay_s=how.grace,
        array_parallelism=how.jobs,
        stderr_to_stdout=True,
        wckey=others.pop("wckey", None),
        srun_args=["--kill-on-bad-exit=1", *cpus],
        additional_parameters=others if "no-requeue" in others else {"requeue": True, **others},
    )
    return executor


def _key(default: str) -> str:
    """The parameter that a variable of sbatch's stands for: those that are not called like it, and the others."""
    called = {"ARRAY_INX": "array", "MEM_PER_NODE": "mem", "TIMELIMIT": "time", "NO_REQUEUE": "requeue"}
    return called.get(default, default.lower())


def _meaning(said: str) -> Exception:
    line = next((line for line in reversed(said.splitlines()) if "error: " in line), said.strip().rpartition("\n")[2])
    words = line.rpartition("error: ")[2]
    if _FULL.search(said):
        return FullError(words)
    return UnansweredError(words) if _UNANSWERED.search(said) else RefusedError(words)


@contextmanager
def _environment(order: Order) -> Iterator[None]:
    """What sbatch reads and the job inherits: the driver's, without what a job or a launcher has told the driver.

    And without the user's defaults for sbatch where the launcher says otherwise: there they go before the script's.
    """
    said = {*_OURS, *(key for key, _ in order.parameters)}
    taken = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(_OF_A_JOB) and name != "SLURM_CONF")
        or name in (*_OF_RANKS, "PYTHONSAFEPATH")
        or (name.startswith(_DEFAULT) and _key(name.removeprefix(_DEFAULT)) in said)
    }
    for name in taken:
        del os.environ[name]
    os.environ["PYTHONSAFEPATH"] = "1"  # a module in the working folder takes no installed one's place
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        os.environ.update(taken)
