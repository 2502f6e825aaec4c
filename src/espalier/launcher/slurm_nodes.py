"""What the nodes have that a Slurm job may get, asked of the cluster once, and never waited for long."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from espalier.core.machine import Machine

_PATIENCE = 1.0  # seconds: sbatch is asked again before anything runs, and the run itself checks on its node


def machine_of(sbatch: Mapping[str, Any]) -> Machine | None:
    """The most of each kind that a node has of those that jobs with these parameters of ``sbatch`` may run on.

    None where Slurm does not say so at once.
    """
    partitions = partitions_of(sbatch)
    command = ["sinfo", "--noheader", "--exact", "--format=%P|%D|%c|%G"]
    command += [f"--partition={','.join(partitions)}"] * bool(partitions)
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return largest(told.stdout.splitlines(), partitions) if told.returncode == 0 else None


def largest(lines: Sequence[str], partitions: Sequence[str]) -> Machine | None:
    """Of lines ``partition|nodes|CPUs|generic resources``; of the default partition (``*``) where none is named."""
    rows = [line.split("|") for line in lines if line.count("|") == 3]
    mine = [row for row in rows if (row[0].rstrip("*") in partitions if partitions else row[0].endswith("*"))]
    if not mine:
        return None
    asked = list(dict.fromkeys(row[0].rstrip("*") for row in mine))
    return Machine(
        cpus=max(_number(row[2]) for row in mine),
        gpus=max(gpus_in(row[3]) for row in mine),
        bf16=False,
        nodes=sum(_number(row[1]) for row in mine),
        cluster=f"partition{'s' * (len(asked) > 1)} {', '.join(asked)}",
    )


def partitions_of(sbatch: Mapping[str, Any]) -> list[str]:
    """Those that are set, in the launcher or for ``sbatch`` itself; empty: the cluster's default one."""
    return names(sbatch.get("partition") or os.environ.get("SBATCH_PARTITION"))


def gpus_in(resources: str) -> int:
    """GPUs among generic resources: ``gpu:a100:4(S:0-1),gpu:2,ssd:1`` has 6, ``gpu`` 1, ``(null)`` none."""
    found = 0
    for each in re.sub(r"\([^)]*\)", "", resources).split(","):
        kind, *more = each.split(":")
        if kind == "gpu":
            found += int(more[-1]) if more and more[-1].isdecimal() else 1
    return found


def names(given: str | Sequence[str] | None) -> list[str]:
    """Of a parameter that takes a list, or one text with commas."""
    return given.split(",") if isinstance(given, str) else list(given or [])


def _number(told: str) -> int:
    digits = re.match(r"\d+", told)  # 64+ where nodes differ
    return int(digits[0]) if digits else 0
