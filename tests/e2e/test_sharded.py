"""A run whose model is divided over two processes: one directory, killed and resumed, a plain model at its end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from e2e.console import ESPALIER, SMALL, espalier, outcome_of, run_directories

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runs")]
WORDS = [word for word in SMALL if not word.startswith("hardware")] + ["tracking=none", "callback=[checkpoint]"]


def test_it_goes_on_to_a_plain_model_and_the_result_of_one_process(folder: Path, tmp_path: Path) -> None:
    killed = killed_after_the_first_checkpoint(tmp_path)
    done = espalier(tmp_path, "train", "--resume", str(killed))
    assert done.returncode == 0 and "going on from step" in done.stdout, done.stderr
    weights = load_file(killed / "model" / "model.safetensors")
    assert {name.partition(".")[0] for name in weights} == {"trunk"} and weights["trunk.embedding.weight"].ndim == 2
    two, one = outcome_of(killed), outcome_of(*run_directories(folder))
    assert (two["status"], two["steps"]) == ("done", one["steps"])
    assert two["metrics"]["test/loss"] == pytest.approx(one["metrics"]["test/loss"], rel=0.005)


def killed_after_the_first_checkpoint(folder: Path) -> Path:
    command = [ESPALIER, "train", *WORDS, "hardware=fsdp_cpu", "callback.checkpoint.every_n_steps=1"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(folder.glob("outputs/*/*/checkpoints/step-*/manifest.json"))) > 1:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (directory,) = run_directories(folder)
    assert outcome_of(directory)["status"] == "running"
    return directory
