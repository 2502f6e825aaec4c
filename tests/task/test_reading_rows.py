from __future__ import annotations

import numpy as np

from espalier.task.reading_rows import counts_of, joined, losses_of, surplus_of

PIECES = {
    "row": np.array([3, 3, 3, 7]), "begin": np.array([1, 20, 30, 5]), "end": np.array([4, 25, 33, 9]),
    "score": np.array([0.5, 2.0, -np.inf, -np.inf]), "probability": np.array([0.1, 0.6, 0.0, 0.0]),
    "null": np.array([1.0, 3.0, 4.0, 0.5]), "losses": np.array([1.0, 2.0, 4.0, 8.0]),
}  # fmt: skip


def test_the_best_span_of_all_windows_wins_and_the_least_doubt() -> None:
    rows, best = joined(PIECES)
    assert rows.tolist() == [3, 7]
    assert [best[name].tolist() for name in ("begin", "end", "probability", "null")] == [
        [20, 5], [25, 9], [0.6, 0.0], [1.0, 0.5],
    ]  # fmt: skip
    surplus = surplus_of(best)
    assert surplus[0] == -1.0 and np.isfinite(surplus[1]) and surplus[1] > 1e5
    assert losses_of(PIECES, 2).tolist() == [[7.0, 3.0], [8.0, 1.0]]


def test_rows_that_have_an_answer_and_rows_that_have_none_count_apart() -> None:
    counts = counts_of(["the cat", "", "x"], [["cat", "dog"], [], []])
    assert counts["f1"].tolist() == [[1, 1], [1, 1], [0, 1]] == counts["exact"].tolist()
    assert counts["f1_has_answer"].sum(0).tolist() == [1, 1] and counts["f1_no_answer"].sum(0).tolist() == [1, 2]
