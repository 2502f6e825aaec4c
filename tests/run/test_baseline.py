from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.core.facts import Raw
from espalier.core.home import cache
from espalier.core.parts import Baseline
from espalier.run.baseline import compare

ROWS = pa.table({"row": [0, 1], "slice:channel": ["mail", "chat"]})


class Task:
    """Counts how often it is asked."""

    asked = 0

    def baseline(self, raw: Raw, split: str) -> Baseline:
        self.asked += 1
        return Baseline(
            "simple", {"accuracy": 0.5, "auroc": float("nan")}, {"accuracy": (0.25, 0.75)}, {"row": np.arange(2)}
        )


class OfTokens(Task):
    """One whose baseline is made of something else than the rows."""

    baseline_needs = "characters"


def assembly(task: Any, fingerprint: str = "f") -> Any:
    raw = Raw({"test": ROWS}, {}, {}, {}, fingerprint, "here")
    return SimpleNamespace(raw=raw, task=task, lengths={})


def test_it_is_written_and_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path / "cache"))
    task = Task()
    first, again = (compare(assembly(task), "test", {"bootstrap": 5}, folder(tmp_path, name)) for name in "ab")
    assert (
        first
        == again
        == {
            "name": "simple",
            "metrics": {"test/accuracy": 0.5, "test/auroc": "nan"},
            "intervals": {"test/accuracy": [0.25, 0.75]},
        }
    )
    assert task.asked == 1
    for name in "ab":
        table = pq.read_table(tmp_path / name / "predictions" / "baseline.parquet")
        assert table["slice:channel"].to_pylist() == ["mail", "chat"]
    compare(assembly(task), "test", {"bootstrap": 6}, folder(tmp_path, "c"))
    assert task.asked == 2


def test_data_without_a_fingerprint_are_asked_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path / "cache"))
    task = Task()
    for _ in range(2):
        compare(assembly(task, ""), "test", {}, folder(tmp_path, "a"))
    assert task.asked == 2 and not (cache() / "baseline").exists()


def test_a_broken_cache_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path / "cache"))
    task = Task()
    compare(assembly(task), "test", {}, folder(tmp_path, "a"))
    (file,) = (tmp_path / "cache").rglob("record.json")
    file.write_text("{")
    assert compare(assembly(task), "test", {}, folder(tmp_path, "b")) is not None
    assert task.asked == 2


def test_a_task_without_one(tmp_path: Path) -> None:
    task = SimpleNamespace(baseline=lambda raw, split: None)
    assert compare(assembly(task), "test", {}, tmp_path) is None


def folder(place: Path, name: str) -> Path:
    (place / name / "predictions").mkdir(parents=True, exist_ok=True)
    return place / name


def test_what_a_task_needs_besides_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path / "cache"))
    task = OfTokens()
    for needs, name in (("characters", "a"), ("words", "b"), ("characters", "c")):
        task.baseline_needs = needs
        compare(assembly(task), "test", {}, folder(tmp_path, name))
    assert task.asked == 2
