"""A Lightning program as people write it, killed in the middle of epochs and resumed from its last checkpoint.

Dropout, shuffled batches, AdamW with a schedule by the step; ModelCheckpoint(save_last=True) at each step. Each run is
a forked process of its own, seeded at its start.

python stopped_lightning.py [--points 19]
"""

import argparse
import json
import logging
import os
import signal
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, STEPS, BATCH = 4, 7, 16


class Net(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        features, labels = batch
        loss = functional.cross_entropy(self.layers(features), labels)
        self.log("train/loss", loss, on_step=True, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class KilledAfter(pl.Callback):
    """After so many steps, whose checkpoint is written by then."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == self.steps:
            os.kill(os.getpid(), signal.SIGKILL)


def train(folder: Path, answer: Path, *callbacks: pl.Callback, resume: bool = False) -> None:
    pl.seed_everything(0, workers=True, verbose=False)
    generator = torch.Generator().manual_seed(1)
    rows = TensorDataset(
        torch.randn(STEPS * BATCH, 64, generator=generator),
        torch.randint(0, 10, (STEPS * BATCH,), generator=generator),
    )
    saves = ModelCheckpoint(folder, save_last=True, every_n_train_steps=1)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=EPOCHS, callbacks=[*callbacks, saves], logger=False, log_every_n_steps=1,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(Net(), DataLoader(rows, BATCH, shuffle=True), ckpt_path="last" if resume else None)
    epoch_loss = trainer.callback_metrics["train/loss_epoch"]
    torch.save([trainer.model.state_dict(), trainer.optimizers[0].state_dict(), epoch_loss], answer)


def forked(*given: Any, **more: Any) -> int:
    """``train`` in a process of its own; how it ended."""
    if (child := os.fork()) == 0:
        train(*given, **more)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=19)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    middle = [step for step in range(1, EPOCHS * STEPS) if step % STEPS][: given.points]
    exact = weights = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        assert forked(folder / "whole", folder / "whole.pt") == 0
        whole = torch.load(folder / "whole.pt")
        for step in middle:
            run, answer = folder / str(step), folder / f"{step}.pt"
            assert forked(run, answer, KilledAfter(step)) == -signal.SIGKILL
            assert forked(run, answer, resume=True) == 0
            resumed = torch.load(answer)
            exact += same(whole, resumed)
            weights += same(whole[0], resumed[0])
    print(json.dumps({"points": len(middle), "exact": exact, "same_weights": weights}))


if __name__ == "__main__":
    main()
