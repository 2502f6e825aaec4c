"""Some of what ``scripts/bench security`` tries, and of the faulty trackers."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def bench(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the benches, by its name."""
    monkeypatch.syspath_prepend(root / "scripts")
    return lambda name: importlib.import_module(f"benches.{name}")


@pytest.mark.parametrize("row", ["security_configs", "security_files"])
def test_nobody_gets_in(row: str, root: Path) -> None:
    program = [sys.executable, root / "scripts" / "bench", "security", "--only", row, "--quick"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith(": yes"), done.stdout


def test_nothing_gets_out(bench: Any) -> None:
    every = bench("secret_samples").secrets()
    of_environment = next(one for one in every if one.variable)
    leaks = bench("secrets").planted([every[0], every[len(every) // 2], of_environment])
    assert (leaks.found, leaks.accepted, leaks.wrong) == (set(), [], [])
    assert len(leaks.looked) >= 8
    assert bench("secrets").harmless_changed() == []


@pytest.mark.parametrize("fault", ["its process is killed", "its disk is full"])
def test_no_metric_is_lost_with_a_tracker(fault: str, bench: Any, tmp_path: Path) -> None:
    ended = bench("trackers").trained(tmp_path / "run", fault, epochs=2)
    steps = [json.loads(line)["step"] for line in ended.lines]
    assert (ended.code, ended.errors) == (0, "") and len(ended.said) == 1
    assert len(steps) > 80 and ended.sent == len(set(steps))
