"""Processes that somebody else started together: torchrun or Slurm's srun. Read from their variables, torch unasked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """What a launcher says of this process and of those beside it.

    Attributes:
        by: ``torchrun`` or ``srun``.
        key: names this launch among others on the same file system.
        size: processes in all.
        per_node: processes on each node.
        rank: this one among all; 0 writes and speaks.
    """

    by: str
    key: str
    size: int
    per_node: int
    rank: int

    @property
    def nodes(self) -> int:
        """Machines."""
        return max(1, self.size // self.per_node)


def launched() -> World | None:
    """The world that torchrun or srun made; None for a process that is alone, or whose siblings Lightning starts.

    An ``sbatch`` script without ``srun`` is alone, whatever Slurm's variables say of its job; so is ``srun -n 1``.
    """
    given = os.environ
    if "TORCHELASTIC_RUN_ID" in given and "RANK" in given:
        return _torchrun(given)
    return _srun(given) if {"SLURM_STEP_ID", "SLURM_PROCID"} <= given.keys() else None


def is_first() -> bool:
    """Whether this process is the one that writes: rank 0, the launcher of the others, or one that is alone."""
    return rank() == "0"


def rank() -> str:
    """Of this process, for names of files: ``0``, ``3``; ``1.2`` of node 1 where Lightning started its siblings."""
    world = launched()
    if world:
        return str(world.rank)
    local, node = os.environ.get("LOCAL_RANK", "0"), os.environ.get("NODE_RANK", "0")
    return local if node == "0" else f"{node}.{local}"


def batch_job() -> str:
    """Names the batch job that this process is part of, as long as it is queued again; ``""`` where there is none."""
    number = os.environ.get("SLURM_JOB_ID", "")
    return number and _key("slurm", os.environ.get("SLURM_CLUSTER_NAME", ""), number)


def queued_again() -> bool:
    """Whether the batch job was queued again: its node was lost, or wanted by others, or somebody asked for it."""
    return int(os.environ.get("SLURM_RESTART_COUNT") or 0) > 0


def _torchrun(given: Mapping[str, str]) -> World:
    size = int(given.get("WORLD_SIZE", "1"))
    words = [given["TORCHELASTIC_RUN_ID"], given.get("MASTER_PORT", ""), given.get("TORCHELASTIC_RESTART_COUNT", "0")]
    return World(
        "torchrun", _key("torchrun", *words), size, int(given.get("LOCAL_WORLD_SIZE", size)), int(given["RANK"])
    )


def _srun(given: Mapping[str, str]) -> World | None:
    size = int(given.get("SLURM_STEP_NUM_TASKS") or given.get("SLURM_NTASKS") or 1)
    if size == 1:
        return None
    nodes = int(given.get("SLURM_STEP_NUM_NODES") or given.get("SLURM_NNODES") or 1)
    # The same job's first step has the same number when it was queued again.
    words = (given.get("SLURM_JOB_ID", ""), given["SLURM_STEP_ID"], given.get("SLURM_RESTART_COUNT", ""))
    key = _key("slurm", *words)
    return World("srun", key, size, max(1, size // nodes), int(given["SLURM_PROCID"]))


def _key(*words: str) -> str:
    return re.sub(r"[^\w.-]+", "-", "-".join(filter(None, words)))
