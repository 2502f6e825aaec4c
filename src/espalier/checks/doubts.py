"""Labels that are likely wrong: confident learning over predictions for rows that the classifier did not see."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from espalier.checks.features import Features
from espalier.checks.rows import label_role, suspect
from espalier.core.facts import Raw
from espalier.core.findings import Doubts

_FOLDS = 5
_STEPS = 300
_STRENGTH = 4.0  # scikit-learn's C, for rows of a norm of about 1
_LEAST = 1e-6

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def doubts(raw: Raw, seen: Features) -> Doubts | None:
    """Judge the labels of all splits together.

    Confident learning (Northcutt, Jiang, Chuang 2021, arXiv:1911.00068) by cleanlab: a label is doubted if the row
    belongs to another class with more confidence than rows of that class have on average.

    Args:
        seen: the rows, in the order of the splits in ``raw``.

    Returns:
        The doubted labels, or None where rows have not one label each, or too few for a second opinion.
    """
    role = label_role(raw)
    if role is None:
        return None
    labels = np.concatenate([table[role].to_numpy() for table in raw.splits.values()])
    present, classes = np.unique(labels, return_inverse=True)
    if len(present) < 2 or np.bincount(classes).max() < _FOLDS:
        return None
    likely = likelihoods(seen.values, classes)
    quality = get_label_quality_scores(classes, likely, method="self_confidence")
    doubted = find_label_issues(classes, likely, filter_by="confident_learning", n_jobs=1)
    places = [(split, position) for split, table in raw.splits.items() for position in range(table.num_rows)]
    (names,) = raw.labels.values()
    rows = np.flatnonzero(doubted)
    ranked = [
        suspect(
            raw, "label", *places[i], suggested=names[present[likely[i].argmax()]], score=round(float(quality[i]), 4)
        )
        for i in rows[np.argsort(quality[rows], kind="stable")]
    ]
    agreement = float((likely.argmax(1) == classes).mean())
    return Doubts(ranked, len(labels), agreement, seen.name)


def likelihoods(values: Any, labels: Labels) -> Floats:
    """Class probabilities of each row, by logistic regressions that were fitted without it.

    Args:
        values: (rows, features), dense or sparse.
        labels: (rows,), 0 to classes - 1.

    Returns:
        (rows, classes).
    """
    likely = np.full((len(labels), int(labels.max()) + 1), _LEAST)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a class with fewer rows than folds is judged as well as it can be
        warnings.simplefilter("ignore", ConvergenceWarning)
        for rest, fold in folds.split(labels, labels):
            if len(present := np.unique(labels[rest])) == 1:  # the one row of another class is in the fold
                likely[fold, present[0]] = 1.0
                continue
            model = LogisticRegression(C=_STRENGTH, max_iter=_STEPS, tol=1e-3).fit(values[rest], labels[rest])
            likely[np.ix_(fold, model.classes_)] = np.maximum(model.predict_proba(values[fold]), _LEAST)
    normalised: Floats = likely / likely.sum(1, keepdims=True)
    return normalised
