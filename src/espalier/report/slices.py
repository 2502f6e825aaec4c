"""Results told apart: by the data's ``slice:`` columns, by length of text, by label; numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from espalier.core.counted import wilson
from espalier.report.predictions import Answers
from espalier.report.quantities import count

_ENOUGH = 10  # rows from which a slice may be called the worst
LENGTH, LABEL = "length", "label"


@dataclass(frozen=True)
class Slice:
    """Some of the rows, and how often they were answered right.

    Attributes:
        of: what tells rows apart: a column of the data, ``length`` or ``label``.
        name: which of them these are.
        rows: how many.
        accuracy: share that is right; of several labels a row, all of them.
        low, high: its 95% interval (Wilson 1927: it holds for few rows too).
    """

    of: str
    name: str
    rows: int
    accuracy: float
    low: float
    high: float


def slices_of(answers: Answers, labels: Sequence[str]) -> Mapping[str, list[Slice]]:
    """What tells rows apart -> its slices, the weakest first; quartiles of length from short to long.

    Args:
        labels: names in index order.
    """
    found = {name: _weakest_first(_by(name, column, answers.right)) for name, column in answers.slices.items()}
    if answers.length is not None and (quartiles := list(_by_length(answers.length, answers.right))):
        found[LENGTH] = quartiles
    found[LABEL] = _weakest_first(_by_label(answers, labels))
    return {name: slices for name, slices in found.items() if len(slices) > 1}


def worst_slice(slices: Mapping[str, Sequence[Slice]]) -> Slice | None:
    """The lowest accuracy of those with ten rows or more; None where all of these have the same."""
    eligible = [one for group in slices.values() for one in group if one.rows >= _ENOUGH]
    if len({one.accuracy for one in eligible}) < 2:
        return None
    return min(eligible, key=lambda one: one.accuracy)


def _slice(of: str, name: str, right: npt.NDArray[np.bool_]) -> Slice:
    hits, rows = int(right.sum()), len(right)
    return Slice(of, name, rows, hits / rows, *wilson(hits, rows))


def _by(of: str, column: npt.NDArray[np.str_], right: npt.NDArray[np.bool_]) -> Iterator[Slice]:
    names, place = np.unique(column, return_inverse=True)
    for i, name in enumerate(names):
        yield _slice(of, str(name), right[place == i])


def _by_length(length: npt.NDArray[np.int64], right: npt.NDArray[np.bool_]) -> Iterator[Slice]:
    edges = np.unique(np.quantile(length, (0, 0.25, 0.5, 0.75, 1), method="lower"))
    for i, (low, high) in enumerate(pairwise(edges)):
        first = int(low) + (i > 0)  # the first quartile holds its lower edge
        inside = (length >= first) & (length <= high)
        if inside.any():
            yield _slice(LENGTH, f"{first} to {count(int(high), 'token')}" if first < high else count(first, "token"),
                         right[inside])  # fmt: skip


def _by_label(answers: Answers, labels: Sequence[str]) -> Iterator[Slice]:
    # Of several labels a row, a row belongs to each that it has.
    for i, name in enumerate(labels):
        inside = answers.target == i if answers.target.ndim == 1 else answers.target[:, i] == 1
        if inside.any():
            yield _slice(LABEL, name, answers.right[inside])


def _weakest_first(slices: Iterator[Slice]) -> list[Slice]:
    return sorted(slices, key=lambda one: (one.accuracy, one.name))
