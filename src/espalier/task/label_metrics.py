"""Metrics of any number of labels per row, and the weighted form that their bootstrap intervals come from.

As in ``task.metrics``, a resample is the rows weighted by how often they were drawn. The values are scikit-learn's
(tested); averages over labels leave out those that neither occur nor are predicted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from espalier.core.counted import divided
from espalier.task.metrics import Array, Scores, cumulated

Hot = npt.NDArray[np.uint8]


def label_metrics_of(scores: Scores, target: Hot, threshold: float) -> dict[str, float]:
    """Point values.

    Args:
        scores: a probability for each label, (N, C).
        target: 0 or 1, (N, C).
        threshold: from which a label counts as predicted.

    Returns:
        precision, recall and f1 (micro: over all decisions; macro: the mean over labels); subset_accuracy (share of
        rows of which every label is right); mean_average_precision (the mean over the labels that occur of the sum of
        precision times gained recall, Zhu 2004; it needs no threshold). NaN where a score is not finite.
    """
    values = weighted_label_metrics(scores, target, np.ones((len(target), 1)), threshold)
    if not np.isfinite(scores).all():  # a diverged model says nothing; no label at all would be called
        return dict.fromkeys(values, math.nan)
    return {name: float(value[0]) for name, value in values.items()}


def weighted_label_metrics(scores: Scores, target: Hot, weights: Array, threshold: float) -> Mapping[str, Array]:
    """The metrics of ``label_metrics_of`` for each column of ``weights`` (N, R); arrays (R,)."""
    wanted, called = target.astype(bool), scores >= threshold
    counts = [(weights.T @ each).T for each in (wanted & called, called, wanted)]  # each (C, R)
    micro = _shares(*(each.sum(0) for each in counts))
    macro = _shares(*counts)
    occurs = (counts[1] + counts[2] > 0).astype(np.float64)
    values: dict[str, Array] = {}
    for name in ("f1", "precision", "recall"):
        values[f"{name}_micro"] = micro[name]
        values[f"{name}_macro"] = divided((macro[name] * occurs).sum(0), occurs.sum(0))
    values["subset_accuracy"] = ((wanted == called).all(1) @ weights) / weights.sum(0)
    areas = np.stack([_average_precision(scores[:, i], wanted[:, i], weights) for i in range(scores.shape[1])])
    values["mean_average_precision"] = divided(np.nansum(areas, 0), (~np.isnan(areas)).sum(0).astype(np.float64))
    return values


def _shares(right: Array, called: Array, wanted: Array) -> dict[str, Array]:
    return {
        "precision": divided(right, called),
        "recall": divided(right, wanted),
        "f1": divided(2 * right, called + wanted),
    }


def _average_precision(column: Scores, positive: npt.NDArray[np.bool_], weights: Array) -> Array:
    # Each positive row adds the precision among all rows that score as high as it does; NaN where a resample has none.
    order = np.argsort(-column, kind="stable")
    falling, hits = -column[order], positive[order]
    among = cumulated(weights[order])
    own = weights[order] * hits[:, None]
    found = cumulated(own)
    ends = np.searchsorted(falling, falling[hits], side="right")  # of the rows that tie with each positive one
    gained = (own[hits] * divided(found[ends], among[ends])).sum(0)
    total = found[-1]
    return np.where(total > 0, gained / np.where(total > 0, total, 1.0), np.nan)
