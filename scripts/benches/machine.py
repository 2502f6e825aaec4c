"""This machine, the versions installed, and child processes that are timed on it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPUS = len(os.sched_getaffinity(0))
ESPALIER = str(Path(sys.executable).with_name("espalier"))
PACKAGES = ("torch", "pytorch-lightning", "transformers", "peft", "hydra-core", "wandb")


def machine() -> dict[str, str]:
    """Processor, cores, memory, system."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"processor": model, "cores": str(CPUS), "memory": f"{memory:.0f} GiB", "system": platform.platform()}


def versions() -> dict[str, str]:
    """Of Python and the libraries that decide about speed."""
    found = {name: importlib.metadata.version(name).partition("+")[0] for name in PACKAGES}
    return {"python": platform.python_version(), **found}


@dataclass(frozen=True)
class Finished:
    """A child process that ended."""

    seconds: float
    stdout: str
    stderr: str


def child(
    command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, accept: int | None = 0
) -> Finished:
    """Run to the end and time it. All cores are the child's: nothing else is measured meanwhile.

    Raises:
        SystemExit: the exit code is not ``accept``; the child's last lines are shown.
    """
    settings = {
        "OMP_NUM_THREADS": str(CPUS),
        "WANDB_MODE": "offline",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **settings, **(env or {})}, capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    if accept is not None and done.returncode != accept:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        sys.exit(f"bench: exit {done.returncode} from: {' '.join(command)}\n{tail}")
    return Finished(seconds, done.stdout, done.stderr)


def data_root() -> Path:
    """``$ESPALIER_DATA``.

    Raises:
        SystemExit: it is not set.
    """
    given = os.environ.get("ESPALIER_DATA")
    if not given:
        sys.exit("bench: this row needs real data. Set ESPALIER_DATA to the folder that has sst2/ and mnist/.")
    return Path(given).resolve()


def say(line: str) -> None:
    """Progress, at once."""
    print(f"  {line}", flush=True)
