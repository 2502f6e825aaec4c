"""Two processes are one run, whether torchrun or Lightning started them, and its result is that of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.console import ESPALIER, SMALL, espalier, outcome_of, run_directories, wandb_records

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runs")]
WORDS = [word for word in SMALL if not word.startswith("hardware")]


def torchrun(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).with_name("torchrun")),
        "--standalone",
        "--nproc-per-node",
        "2",
        ESPALIER,
        "train",
    ]
    return subprocess.run(
        [*command, *WORDS, *words], cwd=folder, env=os.environ, capture_output=True, text=True, timeout=300
    )


def test_one_run_with_the_metrics_of_ddp_cpu_alone_and_those_of_one_process(folder: Path, tmp_path: Path) -> None:
    done = torchrun(tmp_path, "hardware=ddp_cpu", "name=started", "tracking=none")
    assert done.returncode == 0, done.stderr
    two = ("hardware=ddp_cpu", "hardware.devices=2", "hardware.threads=1")
    alone = espalier(tmp_path, "train", *WORDS, *two, "name=alone")
    assert alone.returncode == 0, alone.stderr
    (started,) = (tmp_path / "outputs" / "started").iterdir()
    (other,) = (tmp_path / "outputs" / "alone").iterdir()
    assert (started / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    assert outcome_of(started)["metrics"] == outcome_of(other)["metrics"]
    assert "cpu x 2 fp32 (torchrun" in done.stdout
    assert sorted(path.name for path in (tmp_path / "outputs").iterdir()) == ["alone", "latest", "started"]
    assert wandb_records(other)
    (one,) = map(outcome_of, run_directories(folder))
    assert outcome_of(other)["steps"] == one["steps"]
    assert outcome_of(other)["metrics"]["test/loss"] == pytest.approx(one["metrics"]["test/loss"], rel=0.005)
