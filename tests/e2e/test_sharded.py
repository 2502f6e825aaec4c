"""A run whose model is divided over two processes: one directory, a plain model, exact when it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from e2e.console import ESPALIER, SMALL, espalier, outcome_of, run_directories

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WORDS = [word for word in SMALL if not word.startswith("hardware")] + ["tracking=none", "callback=[checkpoint]"]


def trained(folder: Path, hardware: str) -> Path:
    done = espalier(folder, "train", *WORDS, f"hardware={hardware}", f"name={hardware}")
    assert done.returncode == 0, done.stderr
    (directory,) = (folder / "outputs" / hardware).iterdir()
    return directory


def test_it_leaves_a_plain_model_and_goes_on_exactly(tmp_path: Path) -> None:
    sharded = trained(tmp_path, "fsdp_cpu")
    weights = load_file(sharded / "model" / "model.safetensors")
    assert {name.partition(".")[0] for name in weights} == {"trunk"} and weights["trunk.embedding.weight"].ndim == 2
    killed = killed_after_the_first_checkpoint(tmp_path)
    done = espalier(tmp_path, "train", "--resume", str(killed))
    assert done.returncode == 0 and "going on from step" in done.stdout, done.stderr
    assert (killed / "metrics.jsonl").read_bytes() == (sharded / "metrics.jsonl").read_bytes()
    assert outcome_of(killed)["metrics"] == outcome_of(sharded)["metrics"]


def killed_after_the_first_checkpoint(folder: Path) -> Path:
    before = run_directories(folder)
    command = [ESPALIER, "train", *WORDS, "hardware=fsdp_cpu", "name=killed", "callback.checkpoint.every_n_steps=1"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        made = [run for run in run_directories(folder) if run not in before]
        if made and len(list(made[0].glob("checkpoints/step-*/manifest.json"))) > 1:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (directory,) = (run for run in run_directories(folder) if run not in before)
    assert outcome_of(directory)["status"] == "running"
    return directory
