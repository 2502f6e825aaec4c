"""Real runs with the tracker in processes of their own, and what stands in W&B's offline file afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Cost, Outcome
from espalier.core.parts import RunInfo
from espalier.tracking.wandb import Wandb

directory, first, last, ends = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
directory.mkdir(parents=True, exist_ok=True)
metrics = MetricsFile(directory / "metrics.jsonl")
place = {"project": "espalier", "entity": None, "group": "nightly", "job_type": "train", "tags": ["lora"]}
tracker = Wandb(**place, mode="auto", texts=False)
config = {"optimizer": {"lr": 0.001}, "seed": 0}
resumed = {"resumed": True, "resumed_step": first - 1} if first > 1 else {}
said = [tracker.start(RunInfo(directory, "demo", directory.name[-6:], config, **resumed))]
began = time.perf_counter()
for step in range(first, last + 1):
    metrics.log({"train/loss": 1 / step}, step, epoch=0)
    tracker.log({"train/loss": 1 / step, "epoch": 1}, step)
delay = time.perf_counter() - began
if ends == "killed":
    while not list(directory.glob("wandb/offline-run-*/*.wandb")):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
cost = Cost(train_seconds=1.5)
tracker.attach("<p>the whole page</p>")
said.append(tracker.finish(Outcome(ends, "demo", 0, "", 1, "host", metrics={"test/accuracy": 0.9}, cost=cost)))
print(json.dumps({"said": said, "delay": delay}))
"""


def train(
    directory: Path, first: int, last: int, ends: str = "done", *, before: str = "", **environment: str
) -> dict[str, Any]:
    """Log steps ``first`` to ``last``; ``ends`` is an outcome's status, or ``killed``. What it said, and the delay."""
    secretive = {"MY_TOKEN": "secret-of-the-environment"}
    result = subprocess.run(
        [sys.executable, "-c", before + PROGRAM, str(directory), str(first), str(last), ends, "--token=secret-of-argv"],
        env={**os.environ, **secretive, **environment},
        cwd=directory.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if ends == "killed":
        assert result.returncode == -9, result.stderr
        return {}
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    *noise, last_line = result.stdout.splitlines()
    assert noise == []
    return dict(json.loads(last_line))


def cut(file: Path, step: int) -> None:
    """As a resume cuts ``metrics.jsonl`` back to its checkpoint."""
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Records of one kind in the only offline run under a ``wandb`` folder."""
    (file,) = folder.glob("offline-run-*/*.wandb")
    lines = leet("--json", str(file)).splitlines()
    return [record[kind] for record in map(json.loads, lines) if record["type"] == kind]


def summary(folder: Path) -> dict[str, Any]:
    """State, config and last values of that run."""
    (file,) = folder.glob("offline-run-*/*.wandb")
    return dict(json.loads(leet("--summary", "--json", str(file))))


def leet(*words: str) -> str:
    """What ``wandb leet inspect`` prints."""
    tool = Path(sys.executable).with_name("wandb")
    return subprocess.run([tool, "leet", "inspect", *words], capture_output=True, text=True, check=True).stdout
