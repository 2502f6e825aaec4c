"""What predictions come to: figures of each class or label, calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from espalier.report.predictions import Ints, MultiLabel, Predictions

_BINS = 15  # as the task's ECE has them


@dataclass(frozen=True)
class ClassFigures:
    """Of one class. ``predicted`` is how often it was predicted, ``support`` how often it was the target."""

    label: int
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Bin:
    """Rows whose confidence lies between ``low`` and ``high``: how many, how sure, how often right."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def class_figures(confusion: Ints) -> list[ClassFigures]:
    """Of each class that is a target or was predicted; the weakest F1 first."""
    hits, support, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return _figures(hits, support, predicted)


def label_figures(answers: MultiLabel) -> list[ClassFigures]:
    """The same of each label of rows that have any number of them."""
    return _figures((answers.target * answers.prediction).sum(0), answers.target.sum(0), answers.prediction.sum(0))


def _figures(hits: Ints, support: Ints, predicted: Ints) -> list[ClassFigures]:
    figures = [
        ClassFigures(
            label=i,
            precision=_ratio(hits[i], predicted[i]),
            recall=_ratio(hits[i], support[i]),
            f1=_ratio(2 * hits[i], support[i] + predicted[i]),
            support=int(support[i]),
            predicted=int(predicted[i]),
        )
        for i in range(len(hits))
        if support[i] + predicted[i]
    ]
    return sorted(figures, key=lambda one: (one.f1, one.label))


def calibration(predictions: Predictions) -> list[Bin]:
    """The bins of a reliability diagram that hold rows (Guo et al. 2017, arXiv:1706.04599)."""
    known = np.isfinite(predictions.confidence)
    confidence, hit = predictions.confidence[known], predictions.right[known]
    edges = np.linspace(0, 1, _BINS + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, _BINS - 1)
    bins = []
    for i in np.unique(place):
        members = place == i
        sure, right = float(confidence[members].mean()), float(hit[members].mean())
        bins.append(Bin(float(edges[i]), float(edges[i + 1]), int(members.sum()), sure, right))
    return bins


def _ratio(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0
