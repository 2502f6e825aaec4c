"""The tracker that keeps what it gets."""

from __future__ import annotations

from pathlib import Path

from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo, Tracker
from espalier.tracking.memory import Memory


def test_keeps_run_rows_and_outcome(tmp_path: Path) -> None:
    tracker = Memory()
    promised: Tracker = tracker
    run = RunInfo(tmp_path, "demo", "abc123", {})
    outcome = Outcome("done", "demo", 0, "", 1, "host")
    assert promised.start(run) == ""
    promised.log({"train/loss": 0.5}, 10)
    promised.log({"train/loss": 0.4}, 20)
    assert promised.finish(outcome) == ""
    assert tracker.run is run
    assert tracker.rows == [(10, {"train/loss": 0.5}), (20, {"train/loss": 0.4})]
    assert tracker.outcome is outcome


def test_keeps_a_copy_of_what_the_caller_may_change(tmp_path: Path) -> None:
    tracker, metrics = Memory(), {"train/loss": 0.5}
    tracker.log(metrics, 1)
    metrics["train/loss"] = 9.0
    assert tracker.rows == [(1, {"train/loss": 0.5})]
