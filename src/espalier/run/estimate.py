"""What a run will need, said before its first step: a callback, always on, that tries one batch and adds up."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch

from espalier.build.assemble import Assembly
from espalier.core.errors import RunFailedError
from espalier.core.machine import memory
from espalier.report.estimate import Estimate
from espalier.report.quantities import memory as in_words
from espalier.run.footprint import (
    checkpoint_bytes,
    disk_bytes,
    guessed_bytes,
    held_bytes,
    parameter_bytes,
    state_bytes,
    written_bytes,
)
from espalier.run.probe import Probed, cells_of, probe, resident
from espalier.state.boundary import AtBoundary
from espalier.state.ranks import gather_objects

_EVALUATED = 1 / 3  # of a training pass: forward alone
_HOLES = 1.05  # main memory: batches of other sizes leave holes (measured: 2 to 15%)
_TRANSIENT = 5  # layers' widest outputs that a forward pass without gradients takes (measured on BERT and LSTM)
_OVERHEAD = 0.001  # seconds of a step that no pass shows: the optimizer's, Lightning's, logging


class Estimator(AtBoundary):
    """Asked before the resumed random states are back, so that nothing it does is seen by training.

    Args:
        assembly: the run's parts.
        directory: where it writes.
        tell: what to do with the estimate.
    """

    order: ClassVar[int] = -1

    def __init__(self, assembly: Assembly, directory: Path, tell: Callable[[Estimate], None]) -> None:
        self._assembly, self._directory, self._tell = assembly, directory, tell

    def before_training(self, trainer: pl.Trainer) -> None:
        """Probe, add up, tell.

        Raises:
            RunFailedError: the disk has no room for what the run writes, as far as that is more than a guess.
        """
        task = trainer.lightning_module
        probed = probe(trainer, compiled=self._assembly.placement.compile)
        told = [(optimizer, state_bytes(optimizer)) for optimizer in trainer.optimizers]
        state = sum(guessed_bytes(optimizer) if known is None else known for optimizer, known in told)
        held = sum(map(held_bytes, trainer.optimizers))
        checkpoint = checkpoint_bytes(task, state)
        ranks = gather_objects(self._peak(trainer, probed, max(0, state - held)) if probed else 0)
        estimate = Estimate(
            memory_bytes=(max if task.device.type == "cuda" else sum)(ranks),
            memory_total=_memory_of(task.device),
            seconds=self._seconds(trainer, probed) if probed else 0.0,
            disk_bytes=disk_bytes(task, self._assembly.facts, checkpoint, self._epochs()),
            disk_free=shutil.disk_usage(self._directory).free + written_bytes(self._directory),
            state_bytes=state,
            checkpoint_bytes=checkpoint,
            probe_seconds=probed.cost_seconds if probed else 0.0,
        )
        self._tell(estimate)
        certain = all(known is not None for _, known in told)
        if not estimate.fits_disk and (certain or trainer.is_global_zero):
            _refuse(_no_room(estimate, self._directory), certain=certain)

    def _peak(self, trainer: pl.Trainer, probed: Probed, state: int) -> int:
        """Of this rank: in training and validating; or a peak that lies behind it.

        Training takes what the probe showed, the optimizer's state that is still to come, DDP's buffers. Validating
        keeps no activations, but has larger batches; main memory that training has let go of is rarely used again for
        them, a GPU's is. DDP's buffers were allocated before the probe: a GPU's count has them, main memory is not
        taken up before they are written.
        """
        on_gpu = trainer.lightning_module.device.type == "cuda"
        own = trainer.world_size > 1 and not on_gpu
        buffers = parameter_bytes(trainer.lightning_module, trained=True) if own else 0
        training = probed.peak_bytes - probed.before_bytes + buffers + state
        rows: Any = self._assembly.batches.val_dataloader()
        cells = cells_of(rows.largest()[0]) if hasattr(rows, "largest") else 0
        validating = round(_TRANSIENT * probed.widest_bytes * cells / probed.cells)
        if on_gpu:
            return probed.before_bytes + max(training, validating + state)
        return max(resident("VmHWM"), probed.before_bytes + round(_HOLES * training) + validating)

    def _seconds(self, trainer: pl.Trainer, probed: Probed) -> float:
        """Of the steps that are left, of validating after each epoch, and of the test; ``max_time`` at most."""
        facts, limits = self._assembly.facts, self._assembly.trainer
        if facts.total_steps <= 0:
            return 0.0
        steps = facts.total_steps - trainer.global_step
        each = probed.seconds * limits["accumulate_grad_batches"] + _OVERHEAD
        rows = facts.sizes["train"] / self._steps_per_epoch
        epochs = self._epochs() * steps / facts.total_steps
        evaluated = epochs * facts.sizes.get("validation", 0) + facts.sizes.get("test", 0)
        needed = float(steps * each + evaluated / rows * each * _EVALUATED)
        return min(needed, limits["max_time"].total_seconds()) if limits.get("max_time") else needed

    def _epochs(self) -> float:
        """Of the whole run; infinitely many of an endless one."""
        total = self._assembly.facts.total_steps
        return math.ceil(total / self._steps_per_epoch) if total >= 0 else math.inf

    @property
    def _steps_per_epoch(self) -> int:
        batches: Any = self._assembly.batches
        return int(batches.steps_per_epoch)


def _memory_of(device: torch.device) -> int:
    if device.type == "cuda":
        properties: Any = torch.cuda.get_device_properties(device)
        return int(properties.total_memory)
    return memory().total


def _refuse(short: str, *, certain: bool) -> None:
    if certain:
        raise RunFailedError(short)
    print(f"warning   {short}", file=sys.stderr, flush=True)  # a full disk ends no training: it may go on


def _no_room(estimate: Estimate, directory: Path) -> str:
    need, free = in_words(estimate.disk_bytes), in_words(estimate.disk_free)
    where = f"the disk of {directory.parent.parent} has {free} free"
    return f"checkpoints and model take about {need}, and {where}. Make room, or write elsewhere: output=/OTHER/outputs"
