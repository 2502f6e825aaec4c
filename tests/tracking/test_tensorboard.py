from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import ConfigError
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.tracking.tensorboard import TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found: Any = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return {name: [(e.step, e.value) for e in found.Scalars(name)] for name in found.Tags()["scalars"]}


def run(folder: Path) -> RunInfo:
    return RunInfo(folder, "demo", "3fa9c1", {})


def test_metrics_by_step_and_what_the_best_came_to(tmp_path: Path) -> None:
    tracker = TensorBoard(flush_seconds=10)
    assert tracker.start(run(tmp_path)) == ""
    tracker.log({"train/loss": 0.5, "epoch": 1}, 10)
    tracker.log({"train/loss": 0.25, "epoch": 2}, 20)
    said = tracker.finish(Outcome("done", "demo", 0, "", 1, "host", metrics={"test/accuracy": 0.75}, steps=20))
    assert said.startswith("tensorboard --logdir ") and said.endswith("tensorboard")
    assert scalars(tmp_path) == {
        "train/loss": [(10, 0.5), (20, 0.25)], "epoch": [(10, 1.0), (20, 2.0)], "best/test/accuracy": [(20, 0.75)]
    }  # fmt: skip


def test_a_resumed_run_has_one_history(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "metrics.jsonl")
    file.log({"train/loss": 0.5}, 10, epoch=0)
    TensorBoard(flush_seconds=10).start(run(tmp_path))
    resumed = TensorBoard(flush_seconds=10)
    resumed.start(run(tmp_path))
    resumed.log({"train/loss": 0.25}, 20)
    resumed.finish(Outcome("done", "demo", 0, "", 1, "host"))
    assert scalars(tmp_path) == {"train/loss": [(10, 0.5), (20, 0.25)], "epoch": [(10, 1.0)]}


def test_without_the_package_it_names_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"not installed.*pip install 'espalier\[tensorboard\]'"):
        TensorBoard(flush_seconds=10)
