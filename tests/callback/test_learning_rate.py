from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from espalier.callback.learning_rate import LearningRate
from espalier.core.metrics_file import read_metrics
from state.harness import Net, fit, run_info


class Grouped(Net):
    def configure_optimizers(self) -> Any:
        groups = [
            {"params": list(self.net[0].parameters()), "name": "below", "lr": 0.5},
            {"params": list(self.net[3].parameters())},
        ]
        optimizer = torch.optim.SGD(groups, 1.0)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class TwoOptimizers(Net):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> None:
        for optimizer in self.optimizers():
            self.manual_backward(self.net(batch).sum())
            optimizer.step()

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(self.net[i].parameters(), rate) for i, rate in ((0, 0.5), (3, 0.25))]


def logged(folder: Path) -> list[dict[str, Any]]:
    lines = read_metrics(folder / "metrics.jsonl")
    return [
        rates
        for line in lines
        if (rates := {k: v for k, v in line.items() if k == "step" or "lr/" in k}).keys() - {"step"}
    ]


def test_the_rate_that_each_group_stepped_with(tmp_path: Path) -> None:
    fit(tmp_path, LearningRate(run_info(tmp_path), every_n_steps=2), module=Grouped, max_epochs=1)
    assert logged(tmp_path) == [
        {"step": 1, "lr/below": 0.5, "lr/1": 1.0},
        {"step": 2, "lr/below": 0.25, "lr/1": 0.5},
        {"step": 4, "lr/below": 0.0625, "lr/1": 0.125},
    ]


def test_several_optimizers_are_told_apart(tmp_path: Path) -> None:
    fit(
        tmp_path,
        LearningRate(run_info(tmp_path), every_n_steps=1),
        module=TwoOptimizers,
        max_epochs=1,
        limit_train_batches=1,
    )
    assert [line.keys() - {"step"} for line in logged(tmp_path)] == [{"lr/0-0", "lr/1-0"}]
