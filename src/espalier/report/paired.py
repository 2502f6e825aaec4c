"""Two models' answers to the same rows: is one better? The paired bootstrap and McNemar's test. Light; numpy only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from espalier.report.predictions import Answers
from espalier.report.quantities import value

LEVEL = 0.05
_RESAMPLES = 10_000


@dataclass(frozen=True)
class Paired:
    """How much more often the first is right than the second, on the same rows.

    Attributes:
        difference: accuracy of the first minus that of the second, -1 to 1.
        low, high: 95% percentile interval of the paired bootstrap (Efron & Tibshirani 1993, ch. 13).
        p_value: McNemar's exact test, two-sided (McNemar 1947): how likely rows on which they differ would be spread at
            least so unevenly, were both equally good.
        rows: that both answered.
        only_first, only_second: rows that one of them got right, and the other one wrong.
        test: what the p-value is of.
        among: how many tests were made at once, for which the p-value is corrected.
        of: what a share of right rows is called.
    """

    difference: float
    low: float
    high: float
    p_value: float
    rows: int
    only_first: int
    only_second: int
    test: str = "McNemar"
    among: int = 1
    of: str = "accuracy"

    @property
    def told_apart(self) -> bool:
        """Whether the test tells the two apart."""
        return self.p_value < LEVEL


def same_rows(a: Answers, b: Answers) -> bool:
    """Whether both answered the same rows, by number and target."""
    if len(a.row) != len(b.row) or a.target.shape != b.target.shape:
        return False
    first, second = np.argsort(a.row, kind="stable"), np.argsort(b.row, kind="stable")
    return bool((a.row[first] == b.row[second]).all() and (a.target[first] == b.target[second]).all())


def paired(a: Answers, b: Answers) -> Paired:
    """Compare two models' answers, row by row; the order of rows may differ.

    Raises:
        ValueError: they did not answer the same rows; ask ``same_rows`` first.
    """
    if not same_rows(a, b):
        raise ValueError("predictions of different rows cannot be compared in pairs")
    first = a.right[np.argsort(a.row, kind="stable")]
    second = b.right[np.argsort(b.row, kind="stable")]
    rows, gained, lost = len(first), int((first & ~second).sum()), int((second & ~first).sum())
    # A row adds 1, 0 or -1 to the difference: drawing rows is drawing how many of each there are.
    shares = np.array([gained, rows - gained - lost, lost]) / rows
    drawn = np.random.default_rng(0).multinomial(rows, shares, _RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 2]) / rows, (0.025, 0.975))
    return Paired(
        (gained - lost) / rows, float(low), float(high), mcnemar(gained, lost), rows, gained, lost, of=a.right_is
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p-value: twice the smaller tail of Binomial(n, 1/2), at most 1."""
    n, smaller = only_first + only_second, min(only_first, only_second)
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(smaller + 1)]
    return min(1.0, 2 * math.fsum(math.exp(log - n * math.log(2)) for log in logs))


def corrected(found: Sequence[Any]) -> list[Any]:
    """Several tests made at once, their p-values by Holm's step-down method (Holm 1979): all hold together at 5%.

    Args:
        found: each with ``p_value`` and ``among``; None where no test could be made.
    """
    tests = sorted([(i, one) for i, one in enumerate(found) if one], key=lambda test: test[1].p_value)
    least, told = 0.0, list(found)
    for before, (i, one) in enumerate(tests):
        least = max(least, min(1.0, (len(tests) - before) * one.p_value))
        told[i] = replace(one, p_value=least, among=len(tests))
    return told


def verdict(found: Paired, first: str, second: str) -> str:
    """A sentence: ``A is better than B by 1.2 points of accuracy [0.3, 2.1], McNemar p = 0.008``, or that none is."""
    if found.rows and found.only_first == found.only_second == 0:
        return f"{first} and {second} are right on the same rows"
    better, worse, sign = (first, second, 1) if found.difference >= 0 else (second, first, -1)
    low, high = sorted((sign * found.low, sign * found.high))
    measured = f"{100 * abs(found.difference):.1f} points of {found.of} [{100 * low:.1f}, {100 * high:.1f}]"
    probable = f"{found.test} p {p_words(found.p_value, found.among)}"
    if found.told_apart:
        return f"{better} is better than {worse} by {measured}, {probable}"
    ahead = f"{better} is ahead by " if found.difference else ""
    # Of few rows that differ, drawn ones say less of what others would give than their number does.
    beside = "the interval is of these two alone" if found.among > 1 else "too few rows differ to be sure"
    said = f"no difference can be told between {first} and {second}: {ahead}{measured}, {probable}"
    return said + (f"; {beside}" if low > 0 else "")


def p_words(p_value: float, among: int = 1) -> str:
    """``= 0.008``, ``< 0.001``, ``= 0.030 (corrected for 3 tests)``."""
    said = "< 0.001" if p_value < 0.001 else f"= {value(p_value)}"
    return said + (f" (corrected for {among} tests)" if among > 1 else "")
