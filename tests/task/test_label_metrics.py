"""Held against scikit-learn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, precision_score, recall_score

from espalier.task.label_metrics import Hot, label_metrics_of, weighted_label_metrics
from espalier.task.metrics import Scores, bootstrap


def sample(rows: int, labels: int, decimals: int = 9, seed: int = 0) -> tuple[Scores, Hot]:
    """Scores that know something; few ``decimals`` make ties."""
    generator = np.random.default_rng(seed)
    target = (generator.random((rows, labels)) < 0.3).astype(np.uint8)
    target[0] = 1
    return (0.3 * target + 0.7 * generator.random(target.shape)).round(decimals), target


def sklearn_values(scores: Scores, target: Hot, threshold: float) -> dict[str, float]:
    called = (scores >= threshold).astype(int)
    values = {"subset_accuracy": accuracy_score(target, called),
              "mean_average_precision": average_precision_score(target, scores, average="macro")}  # fmt: skip
    for average in ("micro", "macro"):
        for name, of in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
            values[f"{name}_{average}"] = of(target, called, average=average, zero_division=0)
    return values


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
@pytest.mark.parametrize(("rows", "labels", "decimals"), [(200, 5, 9), (50, 2, 1), (7, 12, 9), (1, 3, 9)])
def test_values_are_scikit_learns(rows: int, labels: int, decimals: int, threshold: float) -> None:
    scores, target = sample(rows, labels, decimals)
    assert label_metrics_of(scores, target, threshold) == pytest.approx(sklearn_values(scores, target, threshold))


def test_a_row_that_counts_twice_is_as_if_it_stood_twice() -> None:
    scores, target = sample(40, 4, decimals=1)
    drawn = np.random.default_rng(1).integers(0, 40, 40)
    weights = np.bincount(drawn, minlength=40).astype(float)[:, None]
    weighted = weighted_label_metrics(scores, target, weights, 0.5)
    assert {name: float(value[0]) for name, value in weighted.items()} == pytest.approx(
        label_metrics_of(scores[drawn], target[drawn], 0.5)
    )


def test_a_label_that_neither_occurs_nor_is_predicted_is_left_out() -> None:
    scores, target = sample(40, 4)
    more = np.hstack([scores, np.zeros((40, 1))]), np.hstack([target, np.zeros((40, 1), np.uint8)])
    with_it, without = label_metrics_of(*more, 0.5), label_metrics_of(scores, target, 0.5)
    for name in ("f1_macro", "precision_macro", "recall_macro", "mean_average_precision"):
        assert with_it[name] == pytest.approx(without[name])


def test_a_diverged_model_says_nothing() -> None:
    scores, target = sample(10, 3)
    scores[3, 1] = np.nan
    assert all(np.isnan(value) for value in label_metrics_of(scores, target, 0.5).values())


def test_intervals_hold_the_values() -> None:
    scores, target = sample(300, 4)
    of = partial(weighted_label_metrics, threshold=0.5)
    for name, (low, high) in bootstrap(scores, target, 200, of=of).items():
        assert low <= label_metrics_of(scores, target, 0.5)[name] <= high and high - low < 0.25
