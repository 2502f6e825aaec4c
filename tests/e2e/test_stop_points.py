"""A few of the stop points that ``scripts/stop_points`` tries; all of them take minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_killed_runs_end_as_those_never_stopped(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "stop_points", "--points", "6"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT" not in done.stdout
