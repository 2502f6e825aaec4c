"""Rows of running text -> blocks of tokens that follow each other."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from espalier.core.columns import Ragged
from espalier.model.encoding.texts import packed


def blocks_of(
    rows: Sequence[Sequence[int]], document: npt.NDArray[np.integer], size: int
) -> tuple[Ragged, npt.NDArray[np.int64]]:
    """Join the rows of each document, and cut them again.

    Args:
        rows: ids of each row; those of one document stand together, in the order of its text.
        document: of each row, (rows,).
        size: tokens of a block, 2 or more; its first is the last one of the block before it in the document. A
            document's last block may be shorter.

    Returns:
        The blocks, and of each the row that its second token is of (its only one, where there is no second).
    """
    whole = Ragged.of(rows)
    bounds = np.unique(whole.offsets[[0, *_changes(document), -1]])  # a document without tokens has none
    starts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for begin, end in pairwise(bounds):
        first = np.arange(begin, max(begin + 1, end - 1), size - 1)
        starts.append(first)
        ends.append(np.minimum(first + size, end))
    start, end = np.concatenate(starts), np.concatenate(ends)
    offsets = np.append(0, np.cumsum(end - start)).astype(np.int64)
    pieces = [whole.values[first:last] for first, last in zip(start, end, strict=True)]
    flat = np.concatenate(pieces or [whole.values])
    second = np.minimum(start + 1, end - 1)
    return Ragged(flat, offsets), np.searchsorted(whole.offsets, second, side="right").astype(np.int64) - 1


def whole_blocks(
    rows: Sequence[Sequence[int]],
    document: npt.NDArray[np.integer],
    size: int,
    before: Sequence[int],
    after: Sequence[int],
) -> tuple[Ragged, npt.NDArray[np.int64]]:
    """Join the rows of each document, and cut them into pieces that share nothing.

    Args:
        rows: ids of each row, without special ones; those of one document stand together, in the order of its text.
        document: of each row, (rows,).
        size: tokens of a block at most, special ones included; a document's last block may be shorter.
        before, after: special ids that each block begins and ends with.

    Returns:
        The blocks, and of each the row that its first token is of.
    """
    room = max(1, size - len(before) - len(after))
    blocks: list[array[int]] = []
    taken: list[int] = []
    lengths = np.array([len(row) for row in rows], np.int64)
    bounds = [0, *_changes(document), len(rows)] if len(rows) else [0]
    for begin, end in pairwise(bounds):
        flat = packed(chain.from_iterable(rows[begin:end]))
        owner = np.repeat(np.arange(begin, end), lengths[begin:end])
        for start in range(0, len(flat), room):
            blocks.append(packed([*before, *flat[start : start + room], *after]))
            taken.append(int(owner[start]))
    return Ragged.of(blocks), np.array(taken, np.int64)


def _changes(document: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The rows with which another document begins."""
    return np.flatnonzero(np.diff(document)) + 1
