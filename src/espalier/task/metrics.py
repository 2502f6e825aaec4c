"""Metrics of single-label classification: point values by torchmetrics, 95% intervals by the bootstrap over rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics.functional import classification as tm

Array = npt.NDArray[np.float64]
_BINS = 15
_AVERAGES = ("macro", "micro", "weighted")
_CHUNK = 64


def metrics_of(scores: Tensor, target: Tensor) -> dict[str, float]:
    """Point values.

    Args:
        scores: class probabilities, (N, C).
        target: class indices, (N,).

    Returns:
        accuracy, precision/recall/f1 (macro, micro, weighted), auroc (one against the rest, macro over the classes
        that occur), ece (expected calibration error, 15 bins, Guo et al. 2017, arXiv:1706.04599).
    """
    classes = scores.shape[1]
    values = {"accuracy": tm.multiclass_accuracy(scores, target, classes, average="micro")}
    for average in _AVERAGES:
        values[f"precision_{average}"] = tm.multiclass_precision(scores, target, classes, average=average)
        values[f"recall_{average}"] = tm.multiclass_recall(scores, target, classes, average=average)
        values[f"f1_{average}"] = tm.multiclass_f1_score(scores, target, classes, average=average)
    values["auroc"] = _auroc(scores, target)
    values["ece"] = tm.multiclass_calibration_error(scores, target, classes, n_bins=_BINS)
    return {name: float(value) for name, value in values.items()}


def _auroc(scores: Tensor, target: Tensor) -> Tensor:
    each = tm.multiclass_auroc(scores, target, scores.shape[1], average="none", validate_args=False)
    present = torch.bincount(target, minlength=scores.shape[1])
    usable = (present > 0) & (present < len(target))
    return each[usable].mean() if usable.any() else torch.tensor(0.5)


def bootstrap(scores: Tensor, target: Tensor, resamples: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """95% percentile intervals (Efron & Tibshirani 1993, ch. 13) of the metrics of ``metrics_of``.

    Each resample draws N rows with replacement; a metric of a resample is that of the rows weighted by how often they
    were drawn, so that all resamples are computed at once.
    """
    if not resamples:
        return {}
    generator = np.random.default_rng(seed)
    rows = len(target)
    drawn = [
        weighted_metrics(scores.numpy(), target.numpy(), generator.multinomial(rows, np.full(rows, 1 / rows), size=count))
        for count in _chunks(resamples)
    ]
    return {
        name: (float(low), float(high))
        for name in drawn[0]
        for low, high in [np.quantile(np.concatenate([part[name] for part in drawn]), (0.025, 0.975))]
    }


def weighted_metrics(
    scores: npt.NDArray[np.float32], target: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]
) -> Mapping[str, Array]:
    """The metrics of ``metrics_of`` for each row of integer ``weights`` (resamples, N); arrays of shape (resamples,)."""
    classes = scores.shape[1]
    w = weights.astype(np.float64)
    predicted = scores.argmax(1)
    hit = w * (predicted == target)
    truth, guess = np.eye(classes)[target], np.eye(classes)[predicted]
    positives, called, right = w @ truth, w @ guess, hit @ truth
    accuracy = hit.sum(1) / w.sum(1)
    precision = _divide(right, called)
    recall = _divide(right, positives)
    f1 = _divide(2 * right, called + positives)
    values: dict[str, Array] = {"accuracy": accuracy}
    for name, per_class in (("precision", precision), ("recall", recall), ("f1", f1)):
        values[f"{name}_macro"] = _macro(per_class, positives + called)
        values[f"{name}_micro"] = accuracy
        values[f"{name}_weighted"] = (per_class * positives).sum(1) / positives.sum(1)
    values["auroc"] = _weighted_auroc(scores, truth, w)
    values["ece"] = _weighted_ece(scores.max(1), hit, w)
    return values


def _macro(per_class: Array, occurs: Array) -> Array:
    # torchmetrics leaves out classes that neither occur nor are predicted.
    return _divide((per_class * (occurs > 0)).sum(1), (occurs > 0).sum(1).astype(np.float64))


def _weighted_auroc(scores: npt.NDArray[np.float32], truth: Array, w: Array) -> Array:
    # P(score of a positive > score of a negative) + half the ties, by one pass over sorted scores per class.
    areas, usable = np.zeros((len(w), truth.shape[1])), np.zeros((len(w), truth.shape[1]))
    for label in range(truth.shape[1]):
        order = np.argsort(scores[:, label], kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(scores[order, label]) != 0])
        positive = np.add.reduceat((w * truth[:, label])[:, order], starts, axis=1)
        negative = np.add.reduceat((w * (1 - truth[:, label]))[:, order], starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative
        pairs = positive.sum(1) * negative.sum(1)
        areas[:, label] = _divide((positive * (below + negative / 2)).sum(1), pairs)
        usable[:, label] = pairs > 0
    return np.where(usable.any(1), _divide((areas * usable).sum(1), usable.sum(1)), 0.5)


def _weighted_ece(confidence: npt.NDArray[np.float32], hit: Array, w: Array) -> Array:
    # Bins are right-closed, as torchmetrics' bucketize has them.
    place = np.clip(np.searchsorted(np.linspace(0, 1, _BINS + 1), confidence, side="right") - 1, 0, _BINS - 1)
    member = np.eye(_BINS)[place]
    gap = np.abs((w * confidence) @ member - hit @ member)
    return gap.sum(1) / w.sum(1)


def _divide(numerator: Array, denominator: Array) -> Array:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _chunks(total: int) -> list[int]:
    return [min(_CHUNK, total - done) for done in range(0, total, _CHUNK)]
