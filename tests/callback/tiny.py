"""The smallest training that callbacks can accompany."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from espalier.core.parts import RunInfo


class Loader:
    """``batches`` batches of four rows with nine tokens."""

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self.batches):
            yield {"x": torch.full((4, 3), float(number)), "samples": 4, "tokens": 9, "scale": 1.0}


class Tiny(pl.LightningModule):
    """One layer; sleeps for ``step`` and ``validation`` seconds a batch."""

    def __init__(self, *, step: float = 0.0, validation: float = 0.0, kind: str = "text", fail_at: int = -1) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)
        self.facts = SimpleNamespace(kinds={"label": "label", kind: kind})
        self.step, self.validation, self.fail_at = step, validation, fail_at

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor:
        if batch_idx == self.fail_at:
            raise ValueError("it broke")
        sleep(self.step)
        return self.layer(batch["x"]).square().mean() * 0 + 0.25

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        sleep(self.validation)

    def on_validation_epoch_end(self) -> None:
        self.log("validation/accuracy", 0.861)

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        sleep(self.validation)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(callback: pl.Callback, folder: Path, **more: Any) -> pl.Trainer:
    """Silent, on the CPU, without anything else."""
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    given = {"accelerator": "cpu", "enable_checkpointing": False, "max_epochs": 1, **quiet, **more}
    return pl.Trainer(callbacks=[callback], default_root_dir=folder, **given)


def run_info(folder: Path) -> RunInfo:
    """Of a run that is judged by its accuracy."""
    return RunInfo(folder, "tiny", "3fa9c1", {}, objective="validation/accuracy")
