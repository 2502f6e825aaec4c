"""Rows of encoded columns -> one batch of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from espalier.batch.order import Request, Rows, whole_of
from espalier.core.columns import BESIDE, Column, Columns, Ragged

Batch = dict[str, Any]


class Gather:
    """A map-style data set whose items are whole batches: ``Gather(columns, pad)[rows, scale]``.

    A batch holds, of B rows:
        a ragged column ``text``: ``text`` (B, L) int64, padded to the batch's longest, and ``text_mask`` (B, L) bool;
        ``text_mean`` (float), how many of its tokens a row of the global batch has on the mean;
        a dense column: (B, …) of its own type; one of single integers: (B,) int64;
        ``scale`` (float): the factor of the mean loss; ``samples`` (int): rows; ``tokens`` (int): ids before padding.
    A filler (scale 0.0) has no samples and no tokens, and its ``row`` is -1: an evaluation leaves it out.
    """

    def __init__(self, columns: Columns, pad: Mapping[str, int]) -> None:
        self._ragged = {name: (column, pad[name]) for name, column in columns.items() if isinstance(column, Ragged)}
        self._dense = {name: _plain(column) for name, column in columns.items() if not isinstance(column, Ragged)}

    def __getitem__(self, request: Request) -> Batch:
        rows, scale = request[:2]
        batch: Batch = {name: torch.from_numpy(array.take(rows, axis=0)) for name, array in self._dense.items()}
        tokens = 0
        for name, (column, pad) in self._ragged.items():
            batch[name], batch[f"{name}_mask"], count = _padded(column, rows, pad)
            batch[f"{name}_mean"] = float(_lengths(column, whole_of(request)).mean())
            tokens += count if BESIDE not in name else 0
        batch.update(scale=scale, samples=len(rows), tokens=tokens)
        return batch if scale else _filler(batch)

    def cells(self, request: Request) -> int:
        """What a batch comes to in work and memory: rows, times padded length where texts have one."""
        rows = request[0]
        longest = (int(_lengths(column, rows).max()) for column, _ in self._ragged.values())
        return len(rows) * (sum(longest) or 1)


def _plain(column: Column) -> npt.NDArray[Any]:
    # A memory-mapped array is seen as a plain one (the subclass costs microseconds at each indexing), still mapped.
    array = np.asarray(column)
    return array.astype(np.int64, copy=False) if array.ndim == 1 and array.dtype.kind in "iu" else array


def _lengths(column: Ragged, rows: Rows) -> Rows:
    lengths: Rows = column.offsets[rows + 1] - column.offsets[rows]
    return lengths


def _padded(column: Ragged, rows: Rows, pad: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    starts = column.offsets[rows]
    lengths = _lengths(column, rows)
    steps = np.arange(lengths.max())
    mask = steps < lengths[:, None]
    ids = np.full(mask.shape, pad, np.int64)
    ids[mask] = column.values[(starts[:, None] + steps)[mask]]
    return torch.from_numpy(ids), torch.from_numpy(mask), int(lengths.sum())


def _filler(batch: Batch) -> Batch:
    return {**batch, "row": torch.full_like(batch["row"], -1), "samples": 0, "tokens": 0}
