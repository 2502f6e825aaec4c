"""A few of the faults that ``scripts/bench faults`` tries; and two processes that want one run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.console import SMALL, espalier, outcome_of, run_directories, started

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_no_run_is_unreadable_and_no_load_is_wrong(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "bench", "faults", "--only", "faults_checkpoints", "--quick"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 unreadable runs" in done.stdout and "no run ended: yes" in done.stdout, done.stdout


def test_of_two_resumes_the_second_is_refused_with_the_firsts_number(tmp_path: Path) -> None:
    first = started(tmp_path, "train", *SMALL, "trainer.max_epochs=40000", "callback=[checkpoint]", "tracking=none")
    while not list(tmp_path.glob("outputs/*/*/checkpoints/step-*")):
        assert first.poll() is None, first.communicate()
        time.sleep(0.1)
    (directory,) = run_directories(tmp_path)
    second = espalier(tmp_path, "train", "--resume", str(directory))
    assert second.returncode == 2 and f"process {first.pid}" in second.stderr
    refused = subprocess.run(
        [sys.executable, "-m", "espalier.run", str(directory), "--resume"], cwd=tmp_path, capture_output=True, text=True
    )
    assert refused.returncode == 2 and f"process {first.pid} on" in refused.stderr and "Traceback" not in refused.stderr
    first.send_signal(signal.SIGTERM)
    first.communicate()
    assert first.returncode == 143 and outcome_of(directory)["status"] == "interrupted"


def test_an_output_that_cannot_be_written_is_found_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = espalier(tmp_path, "train", *SMALL, "output=file/here")
    assert done.returncode == 2 and "output=file/here" in done.stderr and "Traceback" not in done.stderr
