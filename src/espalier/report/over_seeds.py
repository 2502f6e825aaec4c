"""Two experiments, trained with several seeds and tested on the same rows: is one better, whatever seed is drawn?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from espalier.report.paired import LEVEL, Paired, p_words
from espalier.report.predictions import Answers, Floats
from espalier.report.quantities import interval, metric_name, value


@dataclass(frozen=True)
class Gap:
    """The mean of one side minus that of the other, its 95% interval, and Student's two-sided p-value.

    Attributes:
        of: the metric's name.
        sign: -1 of one of which less is better.
        among: how many tests were made at once, for which the p-value is corrected.
    """

    difference: float
    low: float
    high: float
    p_value: float
    of: str = ""
    sign: int = 1
    among: int = 1


def over_seeds(first: Sequence[Answers], second: Sequence[Answers]) -> Paired:
    """How much more often the first experiment is right than the second, over rows and seeds.

    Both kinds of chance count (Bouthillier et al. 2021, arXiv:2103.03098). With a_ir the share of an experiment's n
    seeds that got row r of N right, the difference of its accuracies d = mean_r (a_1r - a_2r) has the variance

        V = var_r(a_1r - a_2r) / N + s^2 (1 / n_1 + 1 / n_2)

    s^2 being the variance of the accuracy over seeds, pooled; d / sqrt(V) follows Student's t, with degrees of freedom
    by Satterthwaite (1946).

    Args:
        first, second: a run's answers each, of one seed; all of the same rows, in any order. Three or more in all.
    """
    ones, others = _right(first), _right(second)
    gains = ones.mean(0) - others.mean(0)
    rows = len(gains)
    of_rows = float(gains.var(ddof=1)) / rows if rows > 1 else 0.0
    found = gap(ones.mean(1), others.mean(1), of_rows, rows)
    return Paired(
        found.difference, max(-1.0, found.low), min(1.0, found.high), found.p_value, rows,
        int((gains > 0).sum()), int((gains < 0).sum()), test="t-test over rows and seeds:", of=first[0].right_is,
    )  # fmt: skip


def gap(first: Sequence[float] | Floats, second: Sequence[float] | Floats, of_rows: float = 0.0, rows: int = 2) -> Gap:
    """Student's t-test of a metric that each seed has one value of.

    Args:
        first, second: the values; three or more in all.
        of_rows: the difference's variance by the rows that were drawn, where it is known.
        rows: how many there were.
    """
    sides = [np.asarray(side, dtype=np.float64) for side in (first, second)]
    free = sum(map(len, sides)) - 2
    pooled = sum(float(((side - side.mean()) ** 2).sum()) for side in sides) / free
    of_seeds = pooled * sum(1 / len(side) for side in sides)
    variance, difference = of_rows + of_seeds, float(sides[0].mean() - sides[1].mean())
    if not variance:
        return Gap(difference, difference, difference, float(not difference))
    degrees = variance**2 / (of_rows**2 / max(1, rows - 1) + of_seeds**2 / free)
    reach = float(stdtrit(degrees, 0.975)) * math.sqrt(variance)
    p_value = 2 * float(stdtr(degrees, -abs(difference) / math.sqrt(variance)))
    return Gap(difference, difference - reach, difference + reach, p_value)


def gap_verdict(found: Gap, first: str, second: str) -> str:
    """``A is better than B by 1.20 of BLEU [0.40, 2.00], t-test over seeds: p = 0.010``, or that none is."""
    better, worse = (first, second) if found.sign * found.difference >= 0 else (second, first)
    low, high = sorted((found.low, found.high) if found.difference >= 0 else (-found.low, -found.high))
    measured = f"{value(abs(found.difference))} of {metric_name(found.of)} {interval((low, high))}"
    probable = f"t-test over seeds: p {p_words(found.p_value, found.among)}"
    if found.p_value < LEVEL:
        return f"{better} is better than {worse} by {measured}, {probable}"
    return f"no difference can be told between {first} and {second}: {measured}, {probable}"


def _right(runs: Sequence[Answers]) -> Floats:
    """Whether each run got each row right, in the order of rows, (runs, N)."""
    return np.stack([run.right[np.argsort(run.row, kind="stable")] for run in runs]).astype(np.float64)
