"""Held against torchmetrics and scikit-learn."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.functional import classification as tm

from espalier.core.counted import wilson
from espalier.task.metrics import Labels, Scores, bootstrap, metrics_of, weighted_metrics

AVERAGES = ("macro", "micro", "weighted")


def sample(
    rows: int, classes: int, *, occurring: int | None = None, decimals: int = 9, seed: int = 0
) -> tuple[Scores, Labels]:
    """Scores that know something of the labels; few ``decimals`` make ties, ``occurring`` leaves classes out."""
    generator = np.random.default_rng(seed)
    target = generator.integers(0, occurring or classes, rows)
    logits = generator.normal(size=(rows, classes))
    logits[np.arange(rows), target] += 1.0
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scores = scores.round(decimals)
    return scores / scores.sum(1, keepdims=True), target


def torchmetrics_values(scores: Scores, target: Labels) -> dict[str, float]:
    inputs, classes = (torch.from_numpy(scores), torch.from_numpy(target)), scores.shape[1]
    values = {"accuracy": tm.multiclass_accuracy(*inputs, classes, average="micro")}
    for average in AVERAGES:
        values[f"precision_{average}"] = tm.multiclass_precision(*inputs, classes, average=average)
        values[f"recall_{average}"] = tm.multiclass_recall(*inputs, classes, average=average)
        values[f"f1_{average}"] = tm.multiclass_f1_score(*inputs, classes, average=average)
    each, occurs = tm.multiclass_auroc(*inputs, classes, average="none"), np.unique(target)
    values["auroc"] = each[occurs].mean()
    values["ece"] = tm.multiclass_calibration_error(*inputs, classes, n_bins=15)
    return {name: float(value) for name, value in values.items()}


@pytest.mark.filterwarnings("ignore:No positive samples")
@pytest.mark.parametrize(
    ("rows", "classes", "occurring"), [(500, 2, 2), (300, 5, 5), (300, 6, 4), (40, 30, 30), (60, 77, 50)]
)
@pytest.mark.parametrize("decimals", [9, 2])
def test_values_are_torchmetrics(rows: int, classes: int, occurring: int, decimals: int) -> None:
    scores, target = sample(rows, classes, occurring=occurring, decimals=decimals)
    assert metrics_of(scores, target) == pytest.approx(torchmetrics_values(scores, target), abs=1e-6)


def test_a_sure_models_ece_is_torchmetrics() -> None:
    scores = np.repeat([[1.0, 0.0], [0.97, 0.03], [0.5, 0.5]], 10, axis=0)
    target = np.arange(30) % 5 // 4
    assert metrics_of(scores, target)["ece"] == pytest.approx(torchmetrics_values(scores, target)["ece"], abs=1e-6)


def test_binary_auroc_with_ties_is_scikit_learns() -> None:
    scores, target = sample(400, 2, decimals=1)
    assert len(np.unique(scores[:, 1])) < 12
    assert metrics_of(scores, target)["auroc"] == pytest.approx(roc_auc_score(target, scores[:, 1]))


def test_auroc_by_hand() -> None:
    column = np.array([0.1, 0.4, 0.4, 0.8])
    scores = np.stack([1 - column, column], axis=1)
    assert metrics_of(scores, np.array([0, 0, 1, 1]))["auroc"] == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert metrics_of(scores, np.array([1, 1, 1, 1]))["auroc"] == 0.5  # nothing to tell apart


@pytest.mark.parametrize("classes", [2, 7])
def test_a_weight_counts_a_row_as_often(classes: int) -> None:
    scores, target = sample(80, classes)
    weights = np.random.default_rng(1).integers(0, 4, (80, 3))
    weighted = weighted_metrics(scores, target, weights.astype(np.float64))
    for draw in range(3):
        rows = np.repeat(np.arange(80), weights[:, draw])
        repeated = metrics_of(scores[rows], target[rows])
        assert {name: value[draw] for name, value in weighted.items()} == pytest.approx(repeated, abs=1e-12)


def test_intervals_are_of_every_metric_but_the_calibration_error_and_repeat() -> None:
    scores, target = sample(200, 3)
    intervals = bootstrap(scores, target, 100)
    values = metrics_of(scores, target)
    assert intervals.keys() == values.keys() - {"ece"}
    assert all(low < high for low, high in intervals.values())
    assert bootstrap(scores, target, 100) == intervals
    assert bootstrap(scores, target, 100, seed=1) != intervals
    assert bootstrap(scores, target, 0) == {}


def test_the_interval_of_accuracy_is_the_binomials() -> None:
    scores, target = sample(1000, 4)
    accuracy = metrics_of(scores, target)["accuracy"]
    low, high = bootstrap(scores, target, 2000)["accuracy"]
    half = 1.96 * (accuracy * (1 - accuracy) / 1000) ** 0.5
    assert (low, high) == pytest.approx((accuracy - half, accuracy + half), abs=0.004)


def test_rows_that_are_all_right_leave_the_interval_of_a_share_and_none_of_what_resamples_cannot_tell() -> None:
    target = np.array([0] * 8 + [1] * 2)
    intervals = bootstrap(np.eye(2)[target] * 0.8 + 0.1, target, 500)  # many resamples have rows of one class alone
    assert intervals["accuracy"] == pytest.approx(wilson(10, 10))
    assert not {"f1_macro", "recall_macro", "auroc"} & intervals.keys()


def test_resamples_of_one_class_are_passed_over() -> None:
    target = np.array([0] * 10 + [1] * 2)  # one resample in nine has no row of 1
    score = np.array([*np.arange(9) / 20, 0.9, 0.7, 0.8])
    low, high = bootstrap(np.stack([1 - score, score], 1), target, 1000)["auroc"]
    assert 0.6 < low < metrics_of(np.stack([1 - score, score], 1), target)["auroc"] < high


@pytest.mark.parametrize(("rows", "classes"), [(1821, 2), (3080, 77), (10000, 10)])
def test_an_evaluation_costs_milliseconds(rows: int, classes: int) -> None:
    scores, target = sample(rows, classes)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        metrics_of(scores, target)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "classes"), [(3080, 77), (10000, 10)])
def test_a_thousand_resamples_cost_seconds(rows: int, classes: int) -> None:
    scores, target = sample(rows, classes)
    start = time.perf_counter()
    bootstrap(scores, target, 1000)
    assert time.perf_counter() - start < 15
