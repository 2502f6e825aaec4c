"""Two experiments, trained with several seeds, that answered the same rows: is one better, whatever seed is drawn?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from espalier.report.paired import Paired
from espalier.report.predictions import Answers, Floats


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
    rows, free = len(gains), len(ones) + len(others) - 2
    of_rows = float(gains.var(ddof=1)) / rows if rows > 1 else 0.0
    scores = [side.mean(1) for side in (ones, others)]
    pooled = sum(float(((score - score.mean()) ** 2).sum()) for score in scores) / free
    of_seeds = pooled * (1 / len(ones) + 1 / len(others))
    variance, difference = of_rows + of_seeds, float(gains.mean())
    told: dict[str, Any] = {"rows": rows, "only_first": int((gains > 0).sum()), "only_second": int((gains < 0).sum()),
                            "test": "t-test over rows and seeds:", "of": first[0].right_is}  # fmt: skip
    if not variance:
        return Paired(difference, difference, difference, float(not difference), **told)
    degrees = variance**2 / (of_rows**2 / max(1, rows - 1) + of_seeds**2 / free)
    reach = float(stdtrit(degrees, 0.975)) * math.sqrt(variance)
    p_value = 2 * float(stdtr(degrees, -abs(difference) / math.sqrt(variance)))
    return Paired(difference, max(-1.0, difference - reach), min(1.0, difference + reach), p_value, **told)


def _right(runs: Sequence[Answers]) -> Floats:
    """Whether each run got each row right, in the order of rows, (runs, N)."""
    return np.stack([run.right[np.argsort(run.row, kind="stable")] for run in runs]).astype(np.float64)
