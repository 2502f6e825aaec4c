from __future__ import annotations

import csv
from pathlib import Path

from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.tracking.csv import Csv

ENDED = Outcome("done", "demo", 0, "", 1, "host")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def started(folder: Path) -> Csv:
    tracker = Csv()
    assert tracker.start(RunInfo(folder, "demo", "3fa9c1", {})) == ""
    return tracker


def test_a_row_for_each_step_and_a_column_for_each_metric(tmp_path: Path) -> None:
    tracker = started(tmp_path)
    tracker.log({"train/loss": 0.5, "epoch": 1}, 1)
    tracker.log({"train/loss": 0.25, "epoch": 1}, 2)
    tracker.log({"validation/accuracy": 0.9, "epoch": 1}, 2)
    tracker.log({"train/loss": 0.125, "epoch": 2}, 3)
    tracker.finish(ENDED)
    assert rows(tmp_path) == [
        {"step": "1", "epoch": "1", "train/loss": "0.5", "validation/accuracy": ""},
        {"step": "2", "epoch": "1", "train/loss": "0.25", "validation/accuracy": "0.9"},
        {"step": "3", "epoch": "2", "train/loss": "0.125", "validation/accuracy": ""},
    ]


def test_rows_are_there_while_the_run_goes_on(tmp_path: Path) -> None:
    tracker = started(tmp_path)
    for step in (1, 2, 3):
        tracker.log({"train/loss": 0.5, "epoch": 1}, step)
    assert [row["step"] for row in rows(tmp_path)] == ["1", "2"]


def test_a_resumed_run_takes_up_what_the_metrics_file_has(tmp_path: Path) -> None:
    tracker, file = started(tmp_path), MetricsFile(tmp_path / "metrics.jsonl")
    for step in (1, 2):
        file.log({"train/loss": 0.5}, step, epoch=0)
    for step in (1, 2, 3):
        tracker.log({"train/loss": 0.5, "epoch": 1}, step)
    resumed = started(tmp_path)
    resumed.log({"train/loss": 0.25, "epoch": 1}, 3)
    resumed.finish(ENDED)
    assert [(row["step"], row["epoch"], row["train/loss"]) for row in rows(tmp_path)] == [
        ("1", "1", "0.5"), ("2", "1", "0.5"), ("3", "1", "0.25")
    ]  # fmt: skip
