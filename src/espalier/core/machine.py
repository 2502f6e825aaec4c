"""What this machine has, asked without importing torch."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """CPU cores this process may use, NVIDIA GPUs it may see, and whether the CPU multiplies bf16 in tiles (AMX)."""

    cpus: int
    gpus: int
    amx: bool

    def __str__(self) -> str:
        gpus = "no GPU" if not self.gpus else f"{self.gpus} GPU{'s' * (self.gpus > 1)}"
        return f"{self.cpus} CPU core{'s' * (self.cpus > 1)} and {gpus}"


@cache
def probe() -> Machine:
    """Ask the kernel: affinity and quota, /proc/driver/nvidia narrowed by CUDA_VISIBLE_DEVICES, CPU flags."""
    return Machine(min(_cores(), _quota()), _visible_gpus(), _has_flag("amx_bf16"))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    # A container may have a share of the cores' time instead of cores of its own.
    quota, _, period = file.read_text().partition(" ") if file.is_file() else ("max", "", "")
    return max(1, math.ceil(int(quota) / int(period))) if quota.isdigit() else sys.maxsize


def _visible_gpus() -> int:
    folder = Path("/proc/driver/nvidia/gpus")
    # Some containers show the devices and not the driver's folder.
    present = len(list(folder.iterdir() if folder.is_dir() else Path("/dev").glob("nvidia[0-9]*")))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return present
    return min(present, len([name for name in visible.split(",") if name.strip() not in ("", "-1")]))


def _has_flag(flag: str) -> bool:
    info = Path("/proc/cpuinfo")
    return info.exists() and flag in info.read_text(errors="replace").split()
