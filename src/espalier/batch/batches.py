"""``Batches``: the encoded splits as a LightningDataModule; ``batches_of``: those of a source of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from espalier.batch.gather import Gather
from espalier.batch.loader import Loader
from espalier.batch.order import Rows, Sampler, Share, shuffled
from espalier.batch.packed import Packed
from espalier.batch.windows import Windows, are_blocks
from espalier.core.columns import Columns, Ragged, num_rows
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Batching, Data


class Batches(pl.LightningDataModule):
    """Loaders for training, validation and test whose batches are those that ``batch.gather.Gather`` describes.

    Training: a new order each epoch; ``batching.batch_size`` rows are one optimizer step, cut over ranks and
    micro-batches by ``batch.order.Share``, so that step k has the same rows whatever their number.
    Evaluation: every row once, ``batching.eval_batch_size`` rows a step of all ranks together, texts of like length
    side by side. All ranks take the same number of steps (DDP talks at each), so a rank may get a filler.

    The Trainer must be made with ``use_distributed_sampler=False``.

    Args:
        splits: ``train``, ``validation``, ``test`` (or fewer) -> encoded columns, ``row`` among them.
        pad: ragged column -> what pads it.
        seed: of the training order.
        world_size: ranks that share a batch.
        accumulate: micro-batches of an optimizer step.
    """

    def __init__(
        self,
        splits: Mapping[str, Columns],
        batching: Batching,
        pad: Mapping[str, int],
        *,
        seed: int,
        world_size: int = 1,
        accumulate: int = 1,
    ) -> None:
        super().__init__()
        self.splits, self.batching, self.pad = splits, batching, pad
        self.seed, self.world_size, self.accumulate = seed, world_size, accumulate
        self._rank = 0

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps that see each training row once."""
        return math.ceil(num_rows(self.splits["train"]) / self.batching.batch_size)

    def setup(self, stage: str) -> None:  # noqa: ARG002  # Lightning names it
        """Learn this process's rank from the trainer.

        Raises:
            ConfigError: the trainer has not the number of ranks that the batches are cut for.
        """
        trainer = self.trainer
        if trainer is None:
            return
        if trainer.world_size != self.world_size:
            raise ConfigError(
                Fault("hardware.devices", f"makes {self.world_size} ranks, but {trainer.world_size} are running.",
                      "Start the run by the espalier command alone, without torchrun, srun or mpirun.")
            )  # fmt: skip
        self._rank = trainer.global_rank

    def train_dataloader(self) -> Loader:
        """Shuffled by (seed, epoch), resumable."""
        columns, size = self.splits["train"], self.batching.batch_size
        packing = self.batching.packing  # which leaves little padding, whatever stands together
        rows, lengths = num_rows(columns), _lengths(columns) if self.batching.bucket and not packing else None
        share = Share(self._rank, self.world_size, self.accumulate)
        gather = Windows(columns, self.pad) if self.batching.windows and are_blocks(columns) else None

        def order(epoch: int) -> Rows:
            return shuffled(rows, size, self.seed, epoch, lengths)

        sampler = Sampler(rows, size, share, gather.moved(order, self.seed) if gather else order)
        packed = Packed(columns, self.pad, self.batching.max_length or 0) if packing else Gather(columns, self.pad)
        return Loader(gather or packed, sampler, self.batching.num_workers)

    def val_dataloader(self) -> Loader | list[Loader]:
        """Every validation row once; nothing where there are none."""
        return self._evaluation("validation")

    def test_dataloader(self) -> Loader | list[Loader]:
        """Every test row once; nothing where there are none."""
        return self._evaluation("test")

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """As Lightning's; on the CPU there is nowhere to move to, and looking takes 20 microseconds."""
        return batch if device.type == "cpu" else super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _evaluation(self, split: str) -> Loader | list[Loader]:
        columns, size = self.splits.get(split), self.batching.eval_batch_size
        if columns is None or not (rows := num_rows(columns)):
            return []
        lengths = _lengths(columns)
        # A fixed shuffle of batches of texts, so that trainer.limit_val_batches does not see the short ones alone.
        order = np.arange(rows) if lengths is None else shuffled(rows, size, 0, 0, lengths)
        return self._loader(columns, Sampler(rows, size, Share(self._rank, self.world_size), lambda _: order))

    def _loader(self, columns: Columns, sampler: Sampler) -> Loader:
        return Loader(Gather(columns, self.pad), sampler, self.batching.num_workers)


def _lengths(columns: Columns) -> Rows | None:
    ragged = [column.lengths for column in columns.values() if isinstance(column, Ragged)]
    return np.sum(ragged, axis=0, dtype=np.int64) if ragged else None


def batches_of(
    source: Data,
    splits: Mapping[str, Columns],
    facts: DataFacts,
    *,
    seed: int = 0,
    world_size: int = 1,
    accumulate: int = 1,
) -> Any:
    """Batches of a source's encoded rows: those of its own ``batches``, where it has that method, else ``Batches``.

    Args:
        splits: split -> columns, as the model's encoding made them.
        facts: tells what pads.
        seed, world_size, accumulate: see ``Batches``.
    """
    own = getattr(source, "batches", None)
    if own is not None:
        return own(splits, facts, seed=seed, world_size=world_size, accumulate=accumulate)
    return Batches(splits, source.batching, facts.pad, seed=seed, world_size=world_size, accumulate=accumulate)
