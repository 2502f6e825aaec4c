"""Rows of running text -> blocks of tokens that follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt

from espalier.core.columns import Ragged


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
    lengths = np.array([len(row) for row in rows], np.int64)
    flat = np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum()))
    owner = np.repeat(np.arange(len(rows)), lengths)
    of = np.asarray(document)[owner]
    bounds = [0, *(np.flatnonzero(of[1:] != of[:-1]) + 1), len(flat)] if len(flat) else [0]
    starts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for begin, end in pairwise(bounds):
        first = np.arange(begin, max(begin + 1, end - 1), size - 1)
        starts.append(first)
        ends.append(np.minimum(first + size, end))
    start, end = np.concatenate(starts), np.concatenate(ends)
    offsets = np.append(0, np.cumsum(end - start)).astype(np.int64)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], end - start)
    second = np.minimum(start + 1, end - 1)
    return Ragged(flat[np.repeat(start, end - start) + within], offsets), owner[second].astype(np.int64)


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
    blocks: list[list[int]] = []
    taken: list[int] = []
    lengths = np.array([len(row) for row in rows], np.int64)
    of = np.asarray(document)
    bounds = [0, *(np.flatnonzero(of[1:] != of[:-1]) + 1), len(rows)] if len(rows) else [0]
    for begin, end in pairwise(bounds):
        flat = list(chain.from_iterable(rows[begin:end]))
        owner = np.repeat(np.arange(begin, end), lengths[begin:end])
        for start in range(0, len(flat), room):
            blocks.append([*before, *flat[start : start + room], *after])
            taken.append(int(owner[start]))
    return Ragged.of(blocks), np.array(taken, np.int64)
