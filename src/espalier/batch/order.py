"""Which rows make up which batch: a function of (seed, epoch), whatever the processes and the accumulation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Request = tuple[Rows, float] | tuple[Rows, float, Rows]
"""Rows of a micro-batch and its scale (see ``Share.of``), and those of the global batch, where it is but a part."""

_POOL = 50  # batches whose texts are sorted together: enough for little padding, few enough to stay a shuffle


def shuffled(rows: int, batch_size: int, seed: int, epoch: int, lengths: Rows | None = None) -> Rows:
    """An epoch's rows, each once; batch ``k`` is ``[k * batch_size : (k + 1) * batch_size]``, the last may be short.

    Args:
        lengths: of each row, shape (rows,). Where given, a batch holds rows of like length: shuffled rows are sorted
            within pools of fifty batches, and then the batches are shuffled. Rows left over make the last batch as
            they were drawn, so that no length is favoured by standing in a small batch.
    """
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(rows)
    full = rows - rows % batch_size
    if lengths is None or not full:
        return order
    pools = [order[start : min(start + _POOL * batch_size, full)] for start in range(0, full, _POOL * batch_size)]
    alike = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools]).reshape(-1, batch_size)
    return np.concatenate([alike[generator.permutation(len(alike))].ravel(), order[full:]])


def whole_of(request: Request) -> Rows:
    """The rows of the global batch."""
    return request[2] if len(request) == 3 else request[0]


@dataclass(frozen=True)
class Share:
    """The part of each global batch that one rank computes, in ``accumulate`` micro-batches.

    Rows are dealt out like cards, one to each micro-batch of each rank in turn: parts differ by one row at most, and
    in a batch sorted by length all have rows of all its lengths.
    """

    rank: int = 0
    world_size: int = 1
    accumulate: int = 1

    def of(self, batch: Rows, micro: int) -> tuple[Rows, float]:
        """Rows of micro-batch ``micro``, and the factor of its mean loss.

        Lightning divides a micro-batch's loss by ``accumulate``, DDP averages gradients over ``world_size`` ranks. The
        mean over a global batch of N rows weighs a part of n rows by n / N, so what is missing is the factor
        ``n * parts / N``: 1.0 where the rows divide evenly. A part without rows gets a filler, one row of factor 0.0,
        since every rank has to take part in every step.
        """
        parts = self.world_size * self.accumulate
        rows = batch[micro * self.world_size + self.rank :: parts]
        return (rows, len(rows) * parts / len(batch)) if len(rows) else (batch[:1], 0.0)


class Sampler:
    """The requests of one rank for the batches of an epoch.

    Attributes:
        epoch: set by Lightning through ``set_epoch`` before each epoch.
        first: the micro-batch that the next pass begins with.
        accumulate: micro-batches of an optimizer step.
    """

    def __init__(self, rows: int, batch_size: int, share: Share, order: Callable[[int], Rows]) -> None:
        self.epoch, self.first, self.accumulate = 0, 0, share.accumulate
        self._rows, self._batch_size, self._share, self._order = rows, batch_size, share, order

    def __len__(self) -> int:
        return math.ceil(self._rows / self._batch_size) * self.accumulate

    def __iter__(self) -> Iterator[Request]:
        order, size, accumulate = self._order(self.epoch), self._batch_size, self.accumulate
        for position in range(self.first, len(self)):
            step, micro = divmod(position, accumulate)
            batch = order[step * size : (step + 1) * size]
            yield (*self._share.of(batch, micro), batch)

    def set_epoch(self, epoch: int) -> None:
        """The order of the next pass is that of ``epoch``."""
        self.epoch = epoch
