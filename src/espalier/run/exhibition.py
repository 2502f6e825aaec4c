"""What a task shows after each validation and after the test, put into files beside the run's others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities.seed import isolate_rng
from torch import nn
from torch.distributed.fsdp import FSDPModule

from espalier.core.exhibits import write_exhibits

FOLDER = "exhibits"


class Exhibition(pl.Callback):
    """``exhibits/validation-<step>.jsonl`` after each validation. A run that goes on writes the same ones again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Ask the task. A full disk ends no training."""
        try:
            show(pl_module, trainer, self.directory, "validation", f"validation-{trainer.global_step:08d}")
        except OSError as error:
            print(f"what validation {trainer.global_step} shows was not written: {error}", file=sys.stderr, flush=True)


def show(task: pl.LightningModule, trainer: pl.Trainer, directory: Path, split: str, name: str) -> None:
    """What a task and its learner's modules show of a split. On all ranks; the first writes; random states are kept."""
    learner: Any = getattr(task, "learner", None)
    parts: list[Any] = [task, *(learner.modules() if isinstance(learner, nn.Module) else ())]
    # Asked by class: some modules pass on what they have not to those within them.
    shows = [part.exhibits for part in parts if hasattr(type(part), "exhibits")]
    if not shows:
        return
    with isolate_rng(), on_device(task, trainer), trainer.precision_plugin.forward_context():
        exhibits = [exhibit for ask in shows for exhibit in ask(split)]
    if exhibits and trainer.is_global_zero:
        write_exhibits(directory / FOLDER / f"{name}.jsonl", exhibits)


@contextmanager
def on_device(task: pl.LightningModule, trainer: pl.Trainer) -> Iterator[None]:
    """Where it was trained: behind a test Lightning moves a task to the CPU.

    What was sharded stays there. Quantised weights come back too: on the CPU they would be slow, or not compute.
    """
    device: Any = trainer.strategy.root_device
    if isinstance(task, FSDPModule) or task.device.type == device.type:
        yield
        return
    task.to(device)
    try:
        yield
    finally:
        task.cpu()
