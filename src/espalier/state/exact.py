"""``ExactResume``: what makes a resumed run compute the bits of one never stopped, beyond what Lightning saves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn

from espalier.core.errors import CorruptError
from espalier.state import epoch_metrics, folder, rng
from espalier.state.boundary import AtBoundary
from espalier.state.layouts import as_parameters
from espalier.state.ranks import gather_objects

KEY = "espalier"
SCHEMA = 1


def metrics_bytes(path: Path) -> int:
    """How long the metrics file was at a checkpoint.

    Raises:
        CorruptError: the checkpoint isn't whole.
    """
    length: int = folder.read_structure(path)[KEY]["metrics_bytes"]
    return length


class ExactResume(AtBoundary):
    """Random states of all ranks, the metrics file's length, metrics in the middle of an epoch. Always on.

    Args:
        offset: the metrics file's length now, in bytes.
        cut: cuts the metrics file back to a length; called once when a fit resumes.
    """

    order: ClassVar[int] = 2  # the last before training begins: nobody draws a number after the states are back

    def __init__(self, offset: Callable[[], int], cut: Callable[[int], None]) -> None:
        self._offset, self._cut = offset, cut
        self._resumed: dict[str, Any] = {}
        self._pending: dict[str, Any] = {}

    def on_save_checkpoint(self, trainer: pl.Trainer, _: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Add our part to the checkpoint, on all ranks."""
        mine = {"rng": rng.capture(), "epoch_metrics": epoch_metrics.capture(trainer)}
        ranks = gather_objects(mine)
        means = _means(trainer)
        ours = {"schema": SCHEMA, "metrics_bytes": self._offset(), "means": means, "ranks": ranks}
        checkpoint[KEY] = {**ours, "accumulate": trainer.accumulate_grad_batches}

    def on_load_checkpoint(self, trainer: pl.Trainer, _: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Cut the metrics file back, keep the rest for later. An evaluation takes nothing but the weights.

        Raises:
            CorruptError: another version wrote it in another way.
        """
        if trainer.state.fn != TrainerFn.FITTING:
            checkpoint["callbacks"] = {}
            return
        self._resumed = checkpoint[KEY]
        if self._resumed["schema"] != SCHEMA:
            raise CorruptError(f"the checkpoint is of schema {self._resumed['schema']}; this version reads {SCHEMA}")
        self._cut(self._resumed["metrics_bytes"])
        before, now = self._resumed.get("accumulate"), trainer.accumulate_grad_batches
        if before and before != now:  # a trial that ran out of memory goes on in smaller micro-batches
            _rescale(checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"], before, now)

    def before_training(self, trainer: pl.Trainer) -> None:
        """Restore what this rank had: from here on, the resumed run and the undisturbed one do the same.

        Where it computes by other means than before, a line says so: the last digits of sums depend on them.
        """
        ranks, means = self._resumed.pop("ranks", []), self._resumed.pop("means", {})
        if not ranks:
            return
        if (others := _others(means, _means(trainer))) and trainer.is_global_zero:
            said = f"going on with {', '.join(others)}"
            print(f"{said}: the run goes on, but not bit for bit as it would have", file=sys.stderr, flush=True)
        for optimizer in trainer.optimizers:
            as_parameters(optimizer)
        mine = ranks[min(trainer.global_rank, len(ranks) - 1)]
        epoch_metrics.restore(trainer, mine["epoch_metrics"])
        self._pending = mine["epoch_metrics"]["sums"]
        rng.restore(mine["rng"])

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """After the first batch that followed the resume: join the epoch's sums."""
        if self._pending:
            epoch_metrics.merge(trainer, self._pending)

    def on_train_epoch_end(self, *_: Any) -> None:
        """Sums that nobody logged again are lost with their epoch."""
        self._pending = {}


def _rescale(progress: Mapping[str, Any], before: int, now: int) -> None:
    """Lightning's counts of micro-batches, for another number of them in a step; exact between two steps."""
    for counts in (progress["total"], progress["current"]):
        more = counts["ready"] * now // before - counts["ready"]
        counts.update({name: count + more for name, count in counts.items()})


def _means(trainer: pl.Trainer) -> dict[str, str]:
    """What the order of additions depends on, which is not the same on all machines."""
    device = trainer.strategy.root_device
    instructions = torch.backends.cpu.get_cpu_capability()
    return {
        "processes": str(trainer.world_size),
        "threads": str(torch.get_num_threads()),
        "precision": str(trainer.precision),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device.type} ({instructions})",
        "torch": str(torch.__version__),
    }


def _others(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {now[name]} in place of {before[name]}" for name in now if before.get(name, now[name]) != now[name]
    ]
