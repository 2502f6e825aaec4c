from __future__ import annotations

import re

import numpy as np

from espalier.report.lengths import length_histogram


def rows_said(drawn: str) -> int:
    return sum(int(rows) for rows in re.findall(r": (\d+) rows?</title>", drawn))


def test_every_row_stands_in_a_column() -> None:
    length = np.random.default_rng(0).integers(0, 300, 1000)
    assert rows_said(length_histogram(length)) == 1000
    assert rows_said(length_histogram(np.array([1, 1, 4]))) == 3
    assert "<title>4 tokens: 1 row</title>" in length_histogram(np.array([1, 1, 4]))


def test_where_texts_are_cut_is_marked_with_what_lies_beyond() -> None:
    drawn = length_histogram(np.array([3, 5, 9, 12]), 8)
    assert "cut at 8: 2 rows (50%) beyond" in drawn and 'class="cut"' in drawn


def test_nothing_is_marked_where_nothing_is_cut() -> None:
    assert 'class="cut"' not in length_histogram(np.array([3, 5]), 128)
    assert 'class="cut"' not in length_histogram(np.array([3, 5]))
