from __future__ import annotations

from collections.abc import Callable

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import nn
from torch.utils.data import DataLoader

from conf.defaults import defaults_of
from espalier.optimizer.adamw import adamw
from espalier.optimizer.fused import clippable
from espalier.optimizer.sgd import sgd

MAKERS = {"adamw": adamw, "sgd": sgd}


class Steep(pl.LightningModule):
    """A gradient of norm 100 * sqrt(3)."""

    def __init__(self, make: Callable[[nn.Module], torch.optim.Optimizer]) -> None:
        super().__init__()
        self.layer, self.make = nn.Linear(3, 1, bias=False), make

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        return 100 * self.layer(batch).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.make(self)


@pytest.mark.parametrize("name", MAKERS)
def test_gradients_are_clipped_under_mixed_precision(name: str) -> None:
    module = Steep(lambda task: MAKERS[name](task.parameters(), **defaults_of(f"optimizer/{name}")))
    trainer = pl.Trainer(
        max_steps=1, precision="bf16-mixed", gradient_clip_val=1.0, accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, DataLoader(torch.ones(1, 3)))
    assert module.layer.weight.grad is not None
    assert float(module.layer.weight.grad.norm()) == pytest.approx(1.0, abs=1e-3)


def test_a_loss_scaler_unscales_before_the_fused_step() -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    optimizer = clippable(torch.optim.SGD([weight], lr=1.0, fused=True))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(0.5 * weight.sum()).backward()
    plugin = MixedPrecision("16-mixed", "cpu", scaler)
    scaler.unscale_(optimizer)
    plugin.clip_gradients(optimizer, clip_val=10.0)
    scaler.step(optimizer)
    assert weight.item() == 0.5
