from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from espalier.core.counted import COUNTS, Counted, Counts, compared, counts_of, f1, intervals, mean, values, wilson

MEAN, F1 = Counted(mean), Counted(f1)


def right(rows: int, share: float, seed: int = 0) -> np.ndarray:
    hits = np.random.default_rng(seed).random(rows) < share
    return np.stack([hits, np.ones(rows)], 1).astype(float)


def test_values_are_those_of_the_sums() -> None:
    counts = {"accuracy": np.array([[1.0, 1], [0, 1], [1, 1]]), "f1": np.array([[2.0, 1, 0], [1, 0, 2], [0, 0, 0]])}
    found = values({"accuracy": MEAN, "f1": F1}, counts)
    assert found == {"accuracy": pytest.approx(2 / 3), "f1": pytest.approx(2 * 3 / (2 * 3 + 1 + 2))}
    assert values({"f1": F1}, {"f1": np.zeros((2, 3))}) == {"f1": 0.0}


def test_intervals_are_as_wide_as_theory_says() -> None:
    counts = right(2_000, 0.7)
    low, high = intervals({"accuracy": MEAN}, {"accuracy": counts}, 2_000)["accuracy"]
    share = counts[:, 0].mean()
    width = 2 * 1.96 * np.sqrt(share * (1 - share) / len(counts))
    assert low < share < high and high - low == pytest.approx(width, rel=0.1)
    assert intervals({"accuracy": MEAN}, {"accuracy": counts}, 0) == {}


def test_two_models_are_told_apart_only_where_they_differ() -> None:
    first, better = right(1_000, 0.7), right(1_000, 0.7)
    better[:60, 0] = 1
    found = compared(MEAN, better, first)
    assert found.told_apart and found.low > 0 and found.difference == pytest.approx((better - first)[:, 0].mean())
    same = compared(MEAN, first, first)
    assert (same.difference, same.p_value, same.told_apart) == (0, 1, False)
    with pytest.raises(ValueError, match="different rows"):
        compared(MEAN, first, first[:10])


def test_the_p_value_is_uniform_where_nothing_differs() -> None:
    drawn = [compared(MEAN, right(200, 0.5, 2 * i), right(200, 0.5, 2 * i + 1), 400).p_value for i in range(200)]
    assert 0.01 <= np.mean(np.array(drawn) < 0.05) <= 0.12 and 0.4 < np.mean(drawn) < 0.6


def test_counts_of_a_table_go_by_row() -> None:
    table = pa.table({"row": [5, 2], f"{COUNTS}accuracy": [[1.0, 1.0], [0.0, 1.0]]})
    found = counts_of(table, {"accuracy": MEAN})
    assert found and found.of("accuracy").tolist() == [[0, 1], [1, 1]]
    assert found.same_rows(Counts(np.array([2, 5]), {}, {})) and not found.same_rows(Counts(np.array([2, 6]), {}, {}))
    assert counts_of(table, {}) is None


def test_wilson_is_scipys() -> None:
    for hits, rows in ((0, 3), (1, 1), (7, 10), (500, 900)):
        expected = binomtest(hits, rows).proportion_ci(method="wilson")
        assert wilson(hits, rows) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_metric_that_is_the_same_in_all_resamples_has_no_interval() -> None:
    counts = {"all": np.array([[1.0, 1.0]] * 9), "some": np.array([[float(i % 2), 1.0] for i in range(9)])}
    metrics = dict.fromkeys(counts, Counted(mean))
    assert intervals(metrics, counts, 200).keys() == {"some"}
