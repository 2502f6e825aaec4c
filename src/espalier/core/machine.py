"""What this machine has, asked without importing torch."""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_BF16 = {"amx_bf16", "avx512_bf16", "bf16"}


@dataclass(frozen=True)
class Machine:
    """What a process may use of this machine; or of any of a cluster: the most of each kind that one of them has.

    Attributes:
        cpus: CPU cores.
        gpus: NVIDIA GPUs.
        bf16: whether the CPU has instructions that multiply bf16 (AMX, AVX512-BF16, ARM's).
        apple_gpus: 1 on Apple silicon.
        nodes: machines there are of the cluster.
        cluster: whose machines these are: ``partition gpu``; ``""``: it is this machine.
    """

    cpus: int
    gpus: int
    bf16: bool
    apple_gpus: int = 0
    nodes: int = 1
    cluster: str = ""

    def __str__(self) -> str:
        gpus = "no GPU" if not self.gpus else f"{self.gpus} GPU{'s' * (self.gpus > 1)}"
        gpus = "an Apple GPU" if self.apple_gpus else gpus
        return f"{self.cpus} CPU core{'s' * (self.cpus > 1)} and {gpus}"

    def tell(self) -> str:
        """What it has, as a sentence without its full stop."""
        if not self.cluster:
            return f"this machine has {self}"
        many = f"largest of the {self.nodes} nodes" if self.nodes > 1 else "only node"
        return f"the {many} of {self.cluster} has {self}"


@cache
def probe() -> Machine:
    """Ask the kernel: affinity and quota, /proc/driver/nvidia narrowed by CUDA_VISIBLE_DEVICES, CPU flags."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return Machine(min(_cores(), _quota()), _visible_gpus(), not _BF16.isdisjoint(cpu_flags()), int(apple))


@cache
def cpu_flags() -> frozenset[str]:
    """What the CPU can do, by Linux' names (``avx2``, ``amx_bf16`` …); nothing where there is no /proc/cpuinfo."""
    return frozenset((_cpuinfo("flags") or _cpuinfo("Features")).split())


@cache
def cpu_name() -> str:
    """The CPU's name."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


@dataclass(frozen=True)
class Memory:
    """Bytes of main memory: all that a process may have, and what is free now."""

    total: int
    free: int


def memory() -> Memory:
    """Of the machine, or of the container where that has less. Zeros where the system does not tell."""
    info = Path("/proc/meminfo")
    lines = dict(line.split(":", 1) for line in info.read_text().splitlines()) if info.is_file() else {}
    total, free = (int(lines.get(key, "0").split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    limit, used = (_cgroup_bytes(name) for name in ("memory.max", "memory.current"))
    return Memory(min(total, limit), min(free, max(0, limit - used))) if limit else Memory(total, free)


def gpu_names() -> list[str]:
    """NVIDIA GPUs that this process' trials may use, as ``CUDA_VISIBLE_DEVICES`` names them: numbers, UUIDs.

    Parts of GPUs (``MIG-…``) too, of which one process can use but one.
    """
    present, visible = _present_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(number) for number in range(present)]
    given: list[str] = []
    for name in (name.strip() for name in visible.split(",")):
        # As CUDA reads it: what stands behind one that is not there is not there either.
        if not (name.startswith(("GPU-", "MIG-")) or (name.isdecimal() and int(name) < present)):
            break
        given.append(name)
    return list(dict.fromkeys(given)) if present else []


def oom_kills() -> int:
    """How many processes the kernel has killed for want of memory, here and in this container; it never falls.

    One that it killed may be counted twice. 0 where the system does not tell.
    """
    return sum(_count(file, "oom_kill") for file in (Path("/proc/vmstat"), *_memory_events()))


def compiler() -> str | None:
    """The C++ compiler that ``torch.compile`` would call: ``$CXX``, else g++ or clang++; None where there is none."""
    wanted = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++"]
    return next((found for name in wanted if (found := shutil.which(name))), None)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quota(file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    # A container may have a share of the cores' time instead of cores of its own.
    quota, _, period = file.read_text().partition(" ") if file.is_file() else ("max", "", "")
    return max(1, math.ceil(int(quota) / int(period))) if quota.isdigit() else sys.maxsize


def _cgroup_bytes(name: str) -> int:
    file = Path("/sys/fs/cgroup") / name
    said = file.read_text().strip() if file.is_file() else ""
    return int(said) if said.isdigit() else 0


def _memory_events() -> list[Path]:
    """What the memory control groups that this process is in (version 1, 2) tell of events, seen from here."""
    groups = Path("/proc/self/cgroup")
    root, found = Path("/sys/fs/cgroup"), []
    for line in groups.read_text().splitlines() if groups.is_file() else ():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found += [root / path.lstrip("/") / "memory.events", root / "memory.events"]
        elif controllers == "memory":
            found += [root / "memory" / path.lstrip("/") / "memory.oom_control", root / "memory" / "memory.oom_control"]
    return list(dict.fromkeys(found))


def _count(file: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        lines = dict(line.partition(" ")[::2] for line in file.read_text().splitlines())
        return int(lines.get(name, "0"))
    return 0


def _visible_gpus() -> int:
    names = gpu_names()
    parts = [name for name in names if name.startswith("MIG-")]
    return len(names) - max(0, len(parts) - 1)


def _present_gpus() -> int:
    folder = Path("/proc/driver/nvidia/gpus")
    # Some containers show the devices and not the driver's folder.
    return len(list(folder.iterdir() if folder.is_dir() else Path("/dev").glob("nvidia[0-9]*"))) or _gpus_of_windows()


def _gpus_of_windows(lists: Path = Path("/usr/lib/wsl/lib/nvidia-smi")) -> int:
    """Linux within Windows has no such files, and a program that lists what Windows hands on."""
    if not lists.is_file():
        return 0
    try:
        told = subprocess.run([lists, "-L"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in told.splitlines())


def _cpuinfo(field: str) -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text(errors="replace") if info.exists() else ""
    found = re.search(rf"^{field}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1] if found else ""
