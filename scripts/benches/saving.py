"""A training that saves at each step weights known from the step's number: ours, and plain Lightning's beside it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from espalier.callback.checkpoint import Checkpoint
from espalier.core.parts import RunInfo
from espalier.state import folder
from espalier.state.boundary import AtBoundary
from espalier.state.exact import ExactResume
from espalier.state.lightning_io import FolderCheckpointIO
from espalier.state.store import Store

SIZE = 400_000  # numbers, and as many in the optimizer's state: 3.2 MB a checkpoint
WAYS = ("espalier", "lightning")


def weights_of(step: int, size: int = SIZE) -> torch.Tensor:
    """What a checkpoint of a step must hold."""
    return torch.rand(size, generator=torch.Generator().manual_seed(step))


@dataclass(frozen=True)
class Loaded:
    """What a run would go on from."""

    step: int
    right: bool


def train(way: str, directory: Path, temporary: Path, told: Any) -> None:
    """The process that is killed: goes on from what is there, sends its step's number after each save."""
    os.environ["TMPDIR"] = str(temporary)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    silence()
    last = load(way, directory) if (directory / "checkpoints").exists() else None
    fit(way, directory, told.send, resume=last is not None)


def fit(way: str, directory: Path, tell: Callable[[int], None], *, resume: bool = False, steps: int = -1) -> pl.Trainer:
    """Train, saving at each step."""
    checkpoints = directory / "checkpoints"
    quiet: dict[str, Any] = {
        "accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False,
        "num_sanity_val_steps": 0, "val_check_interval": 1, "max_steps": steps, "max_epochs": -1,
    }  # fmt: skip
    if way == "espalier":
        run = RunInfo(directory, "bench", "0a1b2c", {}, objective="score", direction="max")
        ours = Checkpoint(run, every_n_steps=1, every_minutes=None)
        callbacks: list[pl.Callback] = [ours, _TellAtBoundary(tell), ExactResume(lambda: 0, lambda _: None)]
        trainer = pl.Trainer(**quiet, callbacks=callbacks, plugins=[FolderCheckpointIO()])
        newest = Store(checkpoints).newest() if resume else None
        start: Any = newest.path if newest else None
    else:
        best = ModelCheckpoint(checkpoints, monitor="score", mode="max", save_last=True, save_on_train_epoch_end=False)
        trainer = pl.Trainer(**quiet, callbacks=[best, _TellAfter(tell)])
        start = checkpoints / "last.ckpt" if resume else None
    trainer.fit(_Numbered(), _Batches(100_000), _Batches(1), ckpt_path=start)
    return trainer


def load(way: str, directory: Path) -> Loaded | None:
    """What a resume would begin with; None where nothing was ever saved.

    Raises:
        Exception: it cannot be read.
    """
    if way == "espalier":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it steps back is what it should do
            newest = Store(directory / "checkpoints").newest()
        content = folder.read(newest.path) if newest else None
    else:
        last = directory / "checkpoints" / "last.ckpt"
        content = torch.load(last, weights_only=False) if last.exists() else None
    if content is None:
        return None
    step = content["global_step"]
    value, state = content["state_dict"]["value"], content["optimizer_states"][0]["state"][0]
    right = torch.equal(value, weights_of(step)) and torch.equal(state["copy"], value) and int(state["step"]) == step
    return Loaded(step, right)


class _Batches:
    def __init__(self, number: int) -> None:
        self.number = number

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[torch.Tensor]:
        return (torch.zeros(1) for _ in range(self.number))


class _Numbered(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.zeros(SIZE))

    def training_step(self, *_: Any) -> torch.Tensor:
        return self.value[:1].sum()

    def validation_step(self, *_: Any) -> None:
        self.log("score", float(self.global_step), batch_size=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return _ByNumber(self.parameters(), {})


class _ByNumber(torch.optim.Optimizer):
    """Its step is to the weights of the next number."""

    def step(self, closure: Any = None) -> Any:  # type: ignore[override]
        loss = closure() if closure else None
        (parameter,) = self.param_groups[0]["params"]
        state = self.state[parameter]
        state["step"] = state.get("step", torch.tensor(0)) + 1
        state["copy"] = weights_of(int(state["step"]))
        parameter.data.copy_(state["copy"])
        return loss


class _TellAtBoundary(AtBoundary):
    order = 1

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.tell = tell

    def at_boundary(self, trainer: pl.Trainer, **_: Any) -> None:
        self.tell(trainer.global_step)


class _TellAfter(pl.callbacks.Checkpoint):
    """Behind ModelCheckpoint, since Lightning asks checkpoint callbacks last and in their order."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self.tell = tell

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.tell(trainer.global_step)


def silence() -> None:
    """Send what this process and its children print nowhere."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
