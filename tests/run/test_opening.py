"""What a process takes up of an earlier one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from espalier.config.saved import read
from espalier.core.errors import UserError
from espalier.core.outcome import Cost
from espalier.core.rundir import read_outcome, write_outcome
from espalier.run.opening import opening, require_same
from run.test_fit import prepared


def test_time_before_a_kill_counts(tmp_path: Path) -> None:
    directory = prepared(tmp_path)
    begun = opening(read(directory), directory, resume=False)
    assert (begun.status, begun.cost.wall_seconds) == ("running", 0.0)
    write_outcome(directory, replace(begun, cost=Cost(wall_seconds=5.0), epochs=3))
    (directory / "metrics.jsonl").write_text("")
    last = (directory / "outcome.json").stat().st_mtime + 100.0  # its last line was written so much later
    os.utime(directory / "metrics.jsonl", (last, last))
    again = opening(read(directory), directory, resume=True)
    assert again.cost.wall_seconds == pytest.approx(105.0, abs=1e-3) and again.epochs == 3
    write_outcome(directory, replace(read_outcome(directory), status="interrupted"))  # which has said its own time
    assert opening(read(directory), directory, resume=True).cost.wall_seconds == 5.0
    assert opening(read(directory), directory, resume=False).cost.wall_seconds == 0.0


def test_other_rows_labels_and_weights_are_named_together(tmp_path: Path) -> None:
    directory = prepared(tmp_path)
    begun = opening(read(directory), directory, resume=False)
    data = {"fingerprint": "a", "labels": ["x"], "origin": "a.csv"}
    before = replace(begun, data=data, summary={"weights": "hub a @1"})
    require_same(directory, before, data, "hub a @1")
    with pytest.raises(UserError) as raised:
        require_same(directory, before, {**data, "fingerprint": "b", "labels": ["y"]}, "hub a @2")
    assert [fault.what for fault in raised.value.faults] == ["the rows", "the labels", "the pretrained weights"]
