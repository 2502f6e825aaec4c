from __future__ import annotations

from pathlib import Path

import pytest

from espalier.report.layout import width_of
from espalier.report.sweep_list import ListedSweep, sweeps_table
from report.sweep_files import grid, searched


def test_a_line_for_each_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [grid(tmp_path / "客服" / "sweep-1", monkeypatch), searched(tmp_path / "sst2" / "sweep-2", monkeypatch)]
    listed = [ListedSweep.of(place, Path("outputs") / place.name) for place in places]
    head, first, second = sweeps_table(listed, 200)
    assert head.split() == ["when", "sweep", "of", "status", "done", "failed", "best", "directory"]
    assert "客服" in first and "25/28" in first and "accuracy 0.876" in first and first.endswith("outputs/sweep-1")
    assert "17/46" in second
    narrow = sweeps_table(listed, 90)
    assert len(narrow) == 5 and narrow[2] == "  outputs/sweep-1" and max(map(width_of, narrow)) <= 90


def test_none_and_one_without_a_summary(tmp_path: Path) -> None:
    assert sweeps_table([]) == []
    _, line = sweeps_table([ListedSweep.of(tmp_path, Path("s"))], 200)
    assert line.split()[2] == "killed"
