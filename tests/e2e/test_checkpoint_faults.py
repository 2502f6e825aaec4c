"""A few of the faults that ``scripts/bench faults`` tries; and an output that cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from e2e.console import SMALL, espalier

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_no_run_is_unreadable_and_no_load_is_wrong(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "bench", "faults", "--only", "faults_checkpoints", "--quick"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 unreadable runs" in done.stdout and "no run ended: yes" in done.stdout, done.stdout


def test_an_output_that_cannot_be_written_is_found_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = espalier(tmp_path, "train", *SMALL, "output=file/here")
    assert done.returncode == 2 and "output=file/here" in done.stderr and "Traceback" not in done.stderr
