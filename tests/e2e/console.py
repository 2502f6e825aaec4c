"""The real console script in a process of its own, from a folder of the test's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ESPALIER = str(Path(sys.executable).with_name("espalier"))
SMALL = (
    "model=lstm", "adapter=full", "hardware=cpu", "data.limit=64", "data.batch_size=16", "trainer.max_epochs=2",
    "trainer.log_every_n_steps=1", "task.bootstrap=50",
)  # fmt: skip


def espalier(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        [ESPALIER, *words], cwd=folder, env={**os.environ, **(env or {})}, capture_output=True, text=True
    )


def started(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Run beside the test, hearing SIGINT as in a terminal: what a shell begins in the background does not."""
    return subprocess.Popen(
        [ESPALIER, *words],
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def outcome_of(directory: Path) -> dict[str, Any]:
    """``outcome.json``."""
    content: dict[str, Any] = json.loads((directory / "outcome.json").read_text())
    return content


def run_directories(folder: Path) -> list[Path]:
    """Those below ``folder/outputs``."""
    return sorted(file.parent for file in (folder / "outputs").glob("*/*/config.yaml"))


def wandb_records(folder: Path) -> list[dict[str, Any]]:
    """Every record of the only W&B run below a folder, read from its offline file by W&B's own tool."""
    (file,) = folder.rglob("*.wandb")
    told = subprocess.run(
        [str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json", str(file)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in told.stdout.splitlines()]
