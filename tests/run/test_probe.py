from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from espalier.batch.batches import Batches
from espalier.core.parts import Batching
from espalier.run.probe import Probed, cells_of, probe, resident
from espalier.state import rng
from espalier.state.boundary import AtBoundary


class Noisy(pl.LightningModule):
    """Everything that a pass could leave behind: dropout, running means, logs."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
        self.losses: list[float] = []

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        loss = nn.functional.cross_entropy(self.net(batch["vector"]), batch["label"])
        self.log("train/loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), 0.1)


class ByHand(Noisy):
    automatic_optimization = False

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        return None


class Prober(AtBoundary):
    found: Probed | None = None

    def before_training(self, trainer: pl.Trainer) -> None:
        before = rng.capture()["torch"]
        self.found = probe(trainer, compiled=False)
        assert torch.equal(rng.capture()["torch"], before)
        assert all(parameter.grad is None for parameter in trainer.lightning_module.parameters())


def fit(task: pl.LightningModule, folder: Path, *callbacks: pl.Callback) -> pl.LightningModule:
    generator = np.random.default_rng(0)
    columns = {
        "row": np.arange(30),
        "vector": generator.normal(size=(30, 4)).astype(np.float32),
        "label": np.arange(30) % 2,
    }
    batches = Batches({"train": columns}, Batching(8, 8, 0, False), {}, seed=0)
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", callbacks=list(callbacks), logger=False, default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False, use_distributed_sampler=False,
        enable_checkpointing=bool(callbacks),
    )  # fmt: skip
    trainer.fit(task, datamodule=batches)
    return task


def test_it_leaves_no_trace(tmp_path: Path) -> None:
    weights = []
    for callbacks in ((), (prober := Prober(),)):
        pl.seed_everything(1, verbose=False)
        weights.append(fit(Noisy(), tmp_path, *callbacks).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert prober.found is not None
    assert prober.found.seconds > 0
    assert prober.found.widest_bytes == 8 * 8 * 4
    assert prober.found.peak_bytes >= prober.found.before_bytes > 1e8


def test_a_task_that_optimizes_by_hand_is_left_alone(tmp_path: Path) -> None:
    prober = Prober()
    fit(ByHand(), tmp_path, prober)
    assert prober.found is None


def test_a_batchs_cells() -> None:
    assert cells_of({"text": torch.zeros(2, 5), "row": torch.zeros(2), "scale": 1.0}) == 12


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_resident_memory_grows_with_what_is_held() -> None:
    before = resident("VmRSS")
    held = torch.ones(25_000_000)
    assert resident("VmRSS") - before == pytest.approx(held.nbytes, rel=0.1)
    assert resident("VmHWM") >= resident("VmRSS") - 1e7
