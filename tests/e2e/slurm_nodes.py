"""A real Slurm of two nodes on this machine, and ``launcher=slurm`` told to run trials on it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil
import yaml

from conf.defaults import CONF, defaults_of
from e2e.ray_trials import log
from espalier.core.launching import Job, Placed
from espalier.launcher.slurm import Slurm
from espalier.launcher.slurm_notes import Notes

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "local_slurm"
ONE_A_NODE = {"cpus_per_task": 2, "grace": 20}  # these nodes have two CPUs


def launcher(**keys: Any) -> Slurm:
    """``launcher=slurm`` with some keys set; a trial takes a whole node."""
    sbatch = yaml.safe_load((CONF / "launcher" / "_sbatch.yaml").read_text())
    return Slurm(**{**sbatch, **defaults_of("launcher/slurm"), **ONE_A_NODE, **keys})


def cluster(verb: str, folder: Path) -> None:
    """``up`` or ``down``."""
    subprocess.run([SCRIPT, verb, folder], check=True, capture_output=True, text=True, timeout=120)


def said(*command: str) -> str:
    """What one of Slurm's commands prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def job_id(placed: Placed) -> str:
    """Of a trial that was handed over."""
    return Notes.of(placed.handle).job_id


def nodes(job: Job) -> list[str]:
    """Where each attempt ran."""
    return re.findall(r"^\[slurm\] job \S+ on (\w+)$", log(job), re.MULTILINE)


def lose(node: str) -> None:
    """All that runs on it dies, its daemons first, and the controller is told that the node is down."""
    daemon = psutil.Process(int(Path(os.environ["SLURM_CONF"]).with_name(f"slurmd-{node}.pid").read_text()))
    running = [process for process in psutil.process_iter() if _is_on(process, node)]
    keepers = {parent for process in running if (parent := process.parent()) and "slurmstepd" in parent.name()}
    for process in [daemon, *keepers, *running]:
        process.kill()
    said("scontrol", "update", f"nodename={node}", "state=down", "reason=test")


def bring_back(node: str) -> None:
    """What ``lose`` did is mended."""
    said("slurmd", "-N", node)
    said("scontrol", "update", f"nodename={node}", "state=resume")


def _is_on(process: psutil.Process, node: str) -> bool:
    try:
        given = process.environ()
    except psutil.Error:
        return False
    return (given.get("SLURMD_NODENAME"), given.get("SLURM_CONF")) == (node, os.environ["SLURM_CONF"])
