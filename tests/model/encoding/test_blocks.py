from __future__ import annotations

from array import array
from itertools import pairwise

import numpy as np
import pytest

from espalier.model.encoding.blocks import blocks_of, whole_blocks

ROWS = [[1, 2, 3], [4, 5], [6], [10, 11], [20, 21, 22, 23]]
DOCUMENT = np.array([0, 0, 0, 1, 2])


def test_each_token_is_foretold_once() -> None:
    blocks, taken = blocks_of(ROWS, DOCUMENT, 3)
    assert [blocks[i].tolist() for i in range(len(blocks))] == [
        [1, 2, 3], [3, 4, 5], [5, 6], [10, 11], [20, 21, 22], [22, 23],
    ]  # fmt: skip
    assert taken.tolist() == [0, 1, 2, 3, 4, 4]


def test_documents_and_rows_without_tokens_have_no_block() -> None:
    rows = [array("i", ids) for ids in ([], [1, 2], [], [], [3], [])]
    blocks, taken = blocks_of(rows, np.array([0, 1, 1, 2, 3, 3]), 4)
    assert [blocks[i].tolist() for i in range(len(blocks))] == [[1, 2], [3]] and taken.tolist() == [1, 4]
    assert [len(found) for found in blocks_of([], np.zeros(0, np.int64), 4)] == [0, 0]


@pytest.mark.parametrize("size", [2, 3, 4, 7, 100])
def test_blocks_make_up_the_text(size: int) -> None:
    generator = np.random.default_rng(size)
    rows = [generator.integers(0, 9, n).tolist() for n in generator.integers(0, 6, 60)]
    document = np.repeat(np.arange(4), 15)
    blocks, taken = blocks_of(rows, document, size)
    assert blocks.lengths.max() <= size
    for one in range(4):
        text = [token for row, of in zip(rows, document, strict=True) if of == one for token in row]
        mine = [blocks[i].tolist() for i in np.flatnonzero(document[taken] == one)]
        assert mine[0] + [token for block in mine[1:] for token in block[1:]] == text
        assert all(before[-1] == after[0] for before, after in pairwise(mine))
        assert all(len(block) == size for block in mine[:-1])


def test_little_text() -> None:
    blocks, taken = blocks_of([[7], [], [8]], np.array([0, 0, 1]), 5)
    assert [blocks[i].tolist() for i in range(len(blocks))] == [[7], [8]] and taken.tolist() == [0, 2]
    empty, none = blocks_of([[], []], np.array([0, 0]), 5)
    assert len(empty) == len(none) == 0


def test_whole_blocks_share_nothing_and_are_put_together_the_text() -> None:
    rows = [[1, 2, 3], [4], [], [5, 6, 7, 8], [9]]
    blocks, taken = whole_blocks(rows, np.array([0, 0, 0, 0, 1]), 5, [100], [200])
    assert [blocks[i].tolist() for i in range(len(blocks))] == [
        [100, 1, 2, 3, 200], [100, 4, 5, 6, 200], [100, 7, 8, 200], [100, 9, 200],
    ]  # fmt: skip
    assert taken.tolist() == [0, 1, 3, 4]
    assert len(whole_blocks([], np.zeros(0, int), 5, [], [])[0]) == 0
