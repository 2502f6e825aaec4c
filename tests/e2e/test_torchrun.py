"""Two processes that torchrun started are one run, equal to the one whose second process Lightning starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.console import ESPALIER, SMALL, espalier, outcome_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
WORDS = [word for word in SMALL if not word.startswith("hardware")] + ["tracking=none"]


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


def test_one_run_directory_and_the_metrics_of_ddp_cpu_alone(tmp_path: Path) -> None:
    done = torchrun(tmp_path, "hardware=ddp_cpu", "name=started")
    assert done.returncode == 0, done.stderr
    alone = espalier(tmp_path, "train", *WORDS, "hardware=ddp_cpu", "name=alone")
    assert alone.returncode == 0, alone.stderr
    (started,) = (tmp_path / "outputs" / "started").iterdir()
    (other,) = (tmp_path / "outputs" / "alone").iterdir()
    assert (started / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    assert outcome_of(started)["metrics"] == outcome_of(other)["metrics"]
    assert "cpu x 2 fp32 (torchrun" in done.stdout
    assert sorted(path.name for path in (tmp_path / "outputs").iterdir()) == ["alone", "latest", "started"]
