"""Metrics of single-label classification and their 95% bootstrap intervals: one weighted form for both.

A bootstrap resample is the rows weighted by how often they were drawn, so all resamples are computed at once, and the
point value is the one with every weight 1. The values are torchmetrics' and scikit-learn's (tested), in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from espalier.core.counted import divided, middle, wilson

Scores = npt.NDArray[np.floating]
Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
Weighted = Callable[[Scores, npt.NDArray[Any], Array], Mapping[str, Array]]
_BINS = 15
_SHARES = ("accuracy", "subset_accuracy")  # of the rows
_RESAMPLES_AT_ONCE = 32
_CELLS_AT_ONCE = 2**22


def metrics_of(scores: Scores, target: Labels) -> dict[str, float]:
    """Point values.

    Args:
        scores: class probabilities, (N, C).
        target: class indices, (N,).

    Returns:
        accuracy; precision, recall and f1 (macro over the classes that occur or are predicted, micro, weighted by
        class size); auroc (one against the rest, macro over the classes that occur; 0.5 where none can be told apart);
        ece (expected calibration error, 15 bins, Guo et al. 2017, arXiv:1706.04599). NaN where a score is not finite.
    """
    values = weighted_metrics(scores, target, np.ones((len(target), 1)))
    if not np.isfinite(scores).all():  # a diverged model says nothing; argmax would call it class 0
        return dict.fromkeys(values, math.nan)
    numbers = {name: float(value[0]) for name, value in values.items()}
    return numbers | {"auroc": 0.5 if math.isnan(numbers["auroc"]) else numbers["auroc"]}


def bootstrap(
    scores: Scores, target: npt.NDArray[Any], resamples: int, seed: int = 0, of: Weighted | None = None
) -> dict[str, tuple[float, float]]:
    """95% percentile intervals (Efron & Tibshirani 1993, ch. 13) of the metrics of ``metrics_of``.

    Resamples that a metric has no value of are passed over. Where all have the same value, as where no row is wrong,
    they tell nothing of what others would give: a share of rows then has Wilson's interval, others have none. ``ece``
    has none either: a sum of absolute gaps, which are larger in every resample than in all rows.

    Args:
        resamples: each draws N rows with replacement; 0 of them give no intervals.
        of: other metrics: (scores, target, weights) -> values, as ``weighted_metrics`` has them.
    """
    weighted = of or weighted_metrics
    if not resamples or not np.isfinite(scores).all():
        return {}
    drawn = [weighted(scores, target, weights) for weights in _draw(len(target), resamples, seed)]
    found = {name: np.concatenate([part[name] for part in drawn]) for name in drawn[0]}
    told = {n: _interval(values[~np.isnan(values)], n, len(target)) for n, values in found.items() if n != "ece"}
    return {name: bounds for name, bounds in told.items() if bounds}


def _interval(values: Array, name: str, rows: int) -> tuple[float, float] | None:
    if not len(values):
        return None
    low, high = middle(values)
    if low < high:
        return low, high
    return wilson(round(low * rows), rows) if name in _SHARES else None


def weighted_metrics(scores: Scores, target: Labels, weights: Array) -> Mapping[str, Array]:
    """The metrics of ``metrics_of`` for each column of ``weights`` (N, R), how often each row counts; arrays (R,).

    ``auroc`` is NaN where no class can be told apart.
    """
    classes, predicted = scores.shape[1], scores.argmax(1)
    hits = weights * (predicted == target)[:, None]
    rows = weights.sum(0)
    positives, called = _sums(weights, target, classes), _sums(weights, predicted, classes)
    right = _sums(hits, target, classes)
    accuracy = hits.sum(0) / rows
    per_class = {
        "precision": divided(right, called),
        "recall": divided(right, positives),
        "f1": divided(2 * right, called + positives),
    }
    occurs = (positives + called > 0).astype(np.float64)
    values: dict[str, Array] = {"accuracy": accuracy}
    for name, each in per_class.items():
        values[f"{name}_macro"] = divided((each * occurs).sum(0), occurs.sum(0))
        values[f"{name}_micro"] = accuracy  # one label a row: every miss is one class's false alarm
        values[f"{name}_weighted"] = (each * positives).sum(0) / rows
    values["auroc"] = _auroc(scores, target, weights)
    values["ece"] = _ece(scores.max(1), hits, weights)
    return values


def _auroc(scores: Scores, target: Labels, weights: Array) -> Array:
    areas = np.stack([area(scores[:, label], target == label, weights) for label in range(scores.shape[1])])
    usable = ~np.isnan(areas)
    return np.where(usable.any(0), divided(np.nansum(areas, 0), usable.sum(0).astype(np.float64)), np.nan)


def area(column: Scores, positive: npt.NDArray[np.bool_], weights: Array) -> Array:
    """P(score of a positive > score of a negative) + half the ties, by the positives' weighted mid-ranks.

    The area under the ROC curve (Mann & Whitney 1947); NaN where a resample has positives only, or none.
    """
    order = np.argsort(column, kind="stable")
    ranked, below = column[order], cumulated(weights[order])
    places = np.flatnonzero(positive[order])
    own = weights[order[places]]
    first, last = np.searchsorted(ranked, ranked[places]), np.searchsorted(ranked, ranked[places], side="right")
    total = own.sum(0)
    area: Array = (own * (below[first] + below[last])).sum(0) / 2 - total**2 / 2
    pairs = total * (below[-1] - total)
    area[pairs <= 0] = np.nan
    return area / np.where(pairs > 0, pairs, 1.0)


def _ece(confidence: Scores, hits: Array, weights: Array) -> Array:
    # As in torchmetrics: fp32's bins, closed on the left, and one of its own for a confidence of 1.
    edges, single = torch.linspace(0, 1, _BINS + 1).numpy(), confidence.astype(np.float32)
    place = np.searchsorted(edges, single, side="right") - 1
    gap = _sums(hits - weights * confidence[:, None], place, _BINS + 1)
    missed: Array = np.abs(gap).sum(0) / weights.sum(0)
    return missed


def _sums(values: Array, group: npt.NDArray[np.integer], groups: int) -> Array:
    """Sum of the rows of each group, (groups, R); without a one-hot matrix, which many classes would make large."""
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(groups + 1))
    sums: Array = np.diff(cumulated(values[order])[ends], axis=0)
    return sums


def cumulated(values: Array) -> Array:
    """``out[i]`` is the sum of the rows before i, (N + 1, R)."""
    out = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=out[1:])
    return out


def _draw(rows: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each row was drawn, (rows, some resamples) at a time: a few dozen megabytes, however many rows."""
    generator = np.random.default_rng(seed)
    step = max(1, min(_RESAMPLES_AT_ONCE, _CELLS_AT_ONCE // rows))
    for done in range(0, resamples, step):
        count = min(step, resamples - done)
        drawn = [np.bincount(generator.integers(0, rows, rows), minlength=rows) for _ in range(count)]
        yield np.stack(drawn, axis=1).astype(np.float64)
