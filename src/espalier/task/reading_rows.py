"""Windows of long texts -> rows: the best span of each, and what its answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from espalier.core.counted import Floats
from espalier.task.squad import exact, f1

_MOST = 1e6  # of a surplus
_OF_PIECES = ("begin", "end", "score", "probability", "null")


def joined(pieces: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Windows -> rows: the span that scores best, and the least score of "no answer".

    Args:
        pieces: ``row`` (windows,), ascending, and arrays ``begin``, ``end``, ``score``, ``probability``, ``null``.

    Returns:
        The rows' numbers, (N,), and the same arrays of each row.
    """
    rows, starts = np.unique(np.asarray(pieces["row"]), return_index=True)
    score = np.asarray(pieces["score"], np.float64)
    order = np.lexsort((-score, np.asarray(pieces["row"])))  # each row's windows, the best first
    best = {name: np.asarray(pieces[name])[order][starts] for name in _OF_PIECES}
    best["null"] = np.minimum.reduceat(np.asarray(pieces["null"], np.float64), starts) if len(rows) else best["null"]
    return rows, best


def surplus_of(best: Mapping[str, Any]) -> Floats:
    """How much more "no answer" scores than the best span; finite, also where there is no span."""
    more: Floats = np.minimum(best["null"] - best["score"], _MOST)
    return more


def counts_of(answers: Sequence[str], targets: Sequence[Sequence[str]]) -> dict[str, Floats]:
    """(what is reached, 1) of each row; of rows that are not meant (0, 0)."""
    f1s = np.array([f1(answer, target) for answer, target in zip(answers, targets, strict=True)])
    exacts = np.array([exact(answer, target) for answer, target in zip(answers, targets, strict=True)])
    has = np.array([bool(target) for target in targets], float)
    ones = np.ones(len(has))
    pairs = {"f1": (f1s, ones), "exact": (exacts, ones), "f1_has_answer": (f1s * has, has)}
    pairs["f1_no_answer"] = (f1s * (1 - has), 1 - has)
    return {name: np.stack(pair, 1) for name, pair in pairs.items()}


def losses_of(kept: Mapping[str, Any], rows: int) -> Floats:
    """(sum over windows, windows) of each row."""
    place = np.unique(np.asarray(kept["row"]), return_inverse=True)[1]
    sums = np.bincount(place, np.asarray(kept["losses"], np.float64), rows)
    return np.stack([sums, np.bincount(place, minlength=rows).astype(float)], 1)
