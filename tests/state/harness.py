"""A small training with everything that makes exact resume hard: dropout, Adam, a schedule, accumulation, shuffling."""

from __future__ import annotations

import json
import os
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers.logger import Logger
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MeanMetric

from espalier.core.parts import RunInfo
from espalier.state.boundary import AtBoundary
from espalier.state.exact import ExactResume
from espalier.state.lightning_io import FolderCheckpointIO

warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")


class Loader:
    """Order from (seed, epoch) alone, as the data room promises; goes on where its state says."""

    def __init__(self, batches: int, seed: int = 0) -> None:
        self.batches, self.seed, self.epoch, self.given = batches, seed, 0, 0
        self.sampler = self
        self.continued = False

    def set_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self.epoch, self.given = epoch, 0

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[Tensor]:
        if not self.continued:
            self.given = 0
        self.continued = False
        return self._go()

    def _go(self) -> Iterator[Tensor]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.batches)
        while self.given < self.batches:
            batch = int(order[self.given])
            self.given += 1
            yield torch.randn(4, 3, generator=torch.Generator().manual_seed(batch + 1000 * torch_rank()))

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "given": self.given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.epoch, self.given, self.continued = state["epoch"], state["given"], True


class Net(pl.LightningModule):
    """Logs by the step, by the epoch and by a torchmetric, and takes numbers from all three generators."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))
        self.mean = MeanMetric()
        self.validations = 0
        self.seen: list[tuple[int, int, int]] = []  # (epoch, batch_idx, global_step) at each training step

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.seen.append((self.current_epoch, batch_idx, self.global_step))
        noise = random.random() + np.random.rand()
        loss = (self.net(batch) - noise).square().mean()
        self.mean.update(loss.detach())
        self.log("step_loss", loss, on_step=True, on_epoch=False)
        self.log("epoch_loss", loss, on_step=False, on_epoch=True)
        self.log("epoch_worst", loss, on_step=False, on_epoch=True, reduce_fx="max")
        self.log("epoch_metric", self.mean, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("score", self.net(batch).square().mean())

    def on_validation_epoch_end(self) -> None:
        self.validations += 1

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), 0.05)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9**step)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class JsonLines(Logger):
    """Every metric as a line of a file, and a way back."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.file = path.open("a")

    @property
    def name(self) -> str:
        return "lines"

    @property
    def version(self) -> int:
        return 0

    def log_hyperparams(self, *_: Any, **__: Any) -> None: ...

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.file.write(json.dumps({"step": step, **metrics}) + "\n")
        self.file.flush()

    def offset(self) -> int:
        return self.file.tell()

    def cut(self, length: int) -> None:
        self.file.truncate(length)


class SaveAt(AtBoundary):
    """Saves at one boundary (counted from 0 in this process) and ends the process's run there, or nowhere."""

    class Killed(Exception): ...  # noqa: N818

    def __init__(self, folder: Path, number: int = -1) -> None:
        self.folder, self.number, self.asked = folder, number, 0
        self.places: list[tuple[int, bool]] = []

    def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
        self.places.append((trainer.global_step, epoch_end))
        if self.asked == self.number:
            trainer.save_checkpoint(self.folder)
            raise self.Killed
        self.asked += 1


def torch_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def run_info(directory: Path, direction: str = "min") -> RunInfo:
    return RunInfo(directory, "toy", "0a1b2c", {}, objective="score", direction=direction)


def trainer_in(folder: Path, *callbacks: pl.Callback, **more: Any) -> pl.Trainer:
    folder.mkdir(parents=True, exist_ok=True)
    logger = JsonLines(folder / "metrics.jsonl") if torch_rank() == 0 else None
    settings: dict[str, Any] = {
        "accelerator": "cpu", "devices": 1, "max_epochs": 3, "log_every_n_steps": 1, "num_sanity_val_steps": 0,
        "enable_progress_bar": False, "enable_model_summary": False, "use_distributed_sampler": False,
    }  # fmt: skip
    exact = ExactResume(logger.offset, logger.cut) if logger else ExactResume(lambda: 0, lambda _: None)
    settings.update(more, logger=logger or False, callbacks=[*callbacks, exact], plugins=[FolderCheckpointIO()])
    return pl.Trainer(**settings)


def fit(folder: Path, *callbacks: pl.Callback, resume: Path | None = None, seed: int = 0, **more: Any) -> pl.Trainer:
    """Train a new Net in a new trainer; the seed is a process's, as a resumed process's would differ."""
    loader = more.pop("loader", None) or Loader(more.pop("batches", 5))
    module = more.pop("module", Net)
    pl.seed_everything(0, verbose=False)
    net = module()
    pl.seed_everything(seed, verbose=False)
    trainer = trainer_in(folder, *callbacks, **more)
    trainer.fit(net, loader, DataLoader(torch.eye(3), batch_size=2), ckpt_path=resume)
    return trainer


def traces(trainer: pl.Trainer, folder: Path) -> dict[str, Any]:
    """All that two runs must have in common."""
    return {
        "weights": trainer.lightning_module.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in trainer.optimizers],
        "schedules": [config.scheduler.state_dict() for config in trainer.lr_scheduler_configs],
        "random": (random.random(), np.random.rand(), torch.rand(3)),
        "lines": (folder / "metrics.jsonl").read_text().splitlines() if torch_rank() == 0 else [],
        "place": (trainer.global_step, trainer.current_epoch, trainer.fit_loop.epoch_loop.total_batch_idx),
        "progress": {key: value for key, value in trainer.fit_loop.state_dict().items() if key != "state_dict"},
        "latest": dict(trainer.callback_metrics),
    }


def difference(one: Any, other: Any, path: str = "") -> str:
    """Where two nested values first differ in a bit; "" where they don't."""
    if isinstance(one, Tensor):
        same = torch.equal(one, other) and one.dtype == other.dtype
    elif isinstance(one, dict):
        inner = (difference(one[key], other[key], f"{path}/{key}") for key in one)
        return next(filter(None, inner), "") if one.keys() == other.keys() else f"{path}: {one.keys()} {other.keys()}"
    elif isinstance(one, list | tuple) and len(one) == len(other):
        inner = (difference(a, b, f"{path}/{i}") for i, (a, b) in enumerate(zip(one, other, strict=True)))
        return next(filter(None, inner), "")
    else:
        same = one == other
    return "" if same else f"{path}: {one} != {other}"
