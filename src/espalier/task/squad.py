"""Answers judged by SQuAD 2.0's rules: what counts as the same, how much of one is found, when to give none."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """In lower case, without ASCII punctuation, without a, an and the, single blanks between words.

    As the evaluation script of SQuAD 2.0 does (Rajpurkar et al. 2018, arXiv:1806.03822).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact(answer: str, targets: Sequence[str]) -> float:
    """1 if it is one of the targets, once both are ``normalised``; ``""`` is right where there is no target."""
    return float(normalised(answer) in {normalised(target) for target in meant(targets)})


def f1(answer: str, targets: Sequence[str]) -> float:
    """The best of the F1 with each target: 2 common / (words + words of the target), of ``normalised`` words.

    Where one of both has no words it is 1 if neither has, else 0.
    """
    words = normalised(answer).split()
    return max(_f1(words, normalised(target).split()) for target in meant(targets))


def meant(targets: Sequence[str]) -> Sequence[str]:
    """The targets that say anything; where there are none, ``""``."""
    return [target for target in targets if normalised(target)] or [""]


def best_threshold(surplus: Floats, answered: Floats, silent: Floats) -> float:
    """The t by which most is reached if a row is given no answer when its ``surplus`` is greater than t.

    As ``find_best_thresh`` of SQuAD 2.0's script, but half way to the next row, so that it divides the rows clearly.

    Args:
        surplus: how much better "no answer" scores than the best span, (N,).
        answered: what each row reaches with the span, (N,); silent: without an answer.

    Returns:
        0 where there are no rows.
    """
    if not len(surplus):
        return 0.0
    order = np.argsort(surplus, kind="stable")
    ordered = surplus[order]
    reached = np.append(0.0, np.cumsum((answered - silent)[order]))
    # Rows of equal surplus are answered together, or not at all.
    allowed = np.append(True, np.append(ordered[1:] > ordered[:-1], True))
    best = int(np.argmax(np.where(allowed, reached, -np.inf)))
    ends = np.concatenate([[ordered[0] - 2.0], ordered, [ordered[-1] + 2.0]])
    return float((ends[best] + ends[best + 1]) / 2)


def _f1(words: Sequence[str], target: Sequence[str]) -> float:
    if not words or not target:
        return float(not words and not target)
    common = sum((Counter(words) & Counter(target)).values())
    return 2 * common / (len(words) + len(target))
