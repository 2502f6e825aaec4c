from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from pytorch_lightning.trainer.connectors.logger_connector.result import _ResultMetric

from state.harness import SaveAt, fit


@pytest.mark.parametrize("step", [0, 3, 7])
def test_an_epochs_mean_is_that_of_all_its_batches(tmp_path: Path, step: int) -> None:
    fit(tmp_path / "whole")
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "cut", SaveAt(tmp_path / "saved", step))
    fit(tmp_path / "cut", resume=tmp_path / "saved", seed=9)
    whole, cut = (epochs(tmp_path / name) for name in ("whole", "cut"))
    assert cut == whole
    assert len(whole) == 3 and all(len(epoch) == 3 for epoch in whole)


def test_last_values_are_known_before_the_next_validation(tmp_path: Path) -> None:
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path, SaveAt(tmp_path / "saved", 6))

    class Asks(SaveAt):
        def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            raise AssertionError("the epoch goes on in its middle")

        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            self.known = dict(trainer.callback_metrics)
            raise self.Killed

    asks = Asks(tmp_path)
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path, asks, resume=tmp_path / "saved")
    lines = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert [float(asks.known["score"])] == [line["score"] for line in lines if "score" in line]


def test_lightning_keeps_its_sums_where_we_look() -> None:
    assert {"update", "forward", "compute"} <= vars(_ResultMetric).keys()


def epochs(folder: Path) -> list[dict[str, float]]:
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{k: v for k, v in line.items() if k.startswith("epoch_")} for line in lines if "epoch_loss" in line]
