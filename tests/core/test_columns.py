from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from espalier.core.columns import Ragged, num_rows


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=6), max_size=8))
def test_rows_come_back(rows: list[list[int]]) -> None:
    ragged = Ragged.of(rows)
    assert [ragged[row].tolist() for row in range(len(ragged))] == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert ragged.offsets[0] == 0


def test_values_have_the_type_asked_for() -> None:
    assert Ragged.of([[1], [2, 3]], np.int16).values.dtype == np.int16


def test_num_rows_of_dense_and_ragged() -> None:
    assert num_rows({"text": Ragged.of([[1], [2, 3], []])}) == 3
    assert num_rows({"image": np.zeros((5, 2, 2)), "label": np.zeros(5)}) == 5
