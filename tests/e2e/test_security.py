"""Short forms of ``scripts/bench security`` and of the faulty trackers: some of each kind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def bench(root: Path, *words: str) -> str:
    program = [sys.executable, root / "scripts" / "bench", *words, "--quick"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("row", ["security_configs", "security_files", "security_shipped", "security_secrets"])
def test_nobody_gets_in_and_nothing_gets_out(row: str, root: Path) -> None:
    told = bench(root, "security", "--only", row)
    assert told.rstrip().endswith(": yes"), told


def test_no_metric_is_lost_with_a_tracker(root: Path) -> None:
    told = bench(root, "faults", "--only", "faults_trackers")
    assert "metrics lost in all 0" in told, told
    one_line, filled = re.findall(r"(\d+) of (\d+)", told.partition("told in one line")[2])
    assert one_line[0] == one_line[1] == filled[0] == filled[1], told
