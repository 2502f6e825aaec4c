"""Metrics that are functions of sums over rows: point values, bootstrap intervals, paired differences. numpy only.

Accuracy is right / rows, F1 is 2 tp / (2 tp + fp + fn), perplexity is exp(loss / tokens), BLEU is made of counts of
n-grams: of each row only its counts are kept, and all resamples of a bootstrap are one product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
COUNTS = "counts:"
"""Begins the name of a column of predictions that holds a metric's counts, a list of numbers for each row."""

_CELLS_AT_ONCE = 2**22


@dataclass(frozen=True)
class Counted:
    """A metric of rows.

    Attributes:
        of: what it is made of: the sums over the rows of its counts (…, K) -> its values (…).
        direction: ``max`` or ``min``.
        partial: it is of some rows alone, and left out where there are none.
    """

    of: Callable[[Floats], Floats]
    direction: str = "max"
    partial: bool = False


@dataclass(frozen=True)
class Counts:
    """What a model's answers count.

    Attributes:
        row: number of each row, (N,).
        counts: metric -> counts of each row, (N, K).
        metrics: how each is made of them.
    """

    row: npt.NDArray[np.int64]
    counts: Mapping[str, Floats]
    metrics: Mapping[str, Counted]

    def of(self, metric: str) -> Floats:
        """Counts by number of the row."""
        return self.counts[metric][np.argsort(self.row, kind="stable")]

    def same_rows(self, other: Counts) -> bool:
        """Whether both answered the same rows."""
        return bool(np.array_equal(np.sort(self.row), np.sort(other.row)))

    def same_weights(self, other: Counts, metric: str) -> bool:
        """Whether counts (amount, weight) weigh each of the same rows alike: two tokenizers count other tokens."""
        ours, theirs = self.of(metric), other.of(metric)
        return ours.shape[1] != 2 or bool(np.array_equal(ours[:, 1], theirs[:, 1]))


def counts_of(table: pa.Table, metrics: Mapping[str, Counted]) -> Counts | None:
    """What a table of predictions counts; None where its task counts nothing."""
    if not metrics:
        return None
    counts = {name: np.array(table[f"{COUNTS}{name}"].to_pylist(), np.float64) for name in metrics}
    return Counts(table["row"].to_numpy().astype(np.int64), counts, metrics)


def mean(sums: Floats) -> Floats:
    """Of counts (amount, weight): amount / weight; 0 where there is no weight."""
    return divided(sums[..., 0], sums[..., 1])


def f1(sums: Floats) -> Floats:
    """Of counts (true positives, false positives, false negatives): 2 tp / (2 tp + fp + fn)."""
    return divided(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """Their quotient; 0 where the denominator is."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def values(metrics: Mapping[str, Counted], counts: Mapping[str, Floats]) -> dict[str, float]:
    """Point values; see ``Counted.partial``.

    Args:
        counts: metric -> counts of each row, (N, K).
    """
    sums = {name: counts[name].sum(0) for name in metrics}
    return {n: float(metric.of(sums[n])) for n, metric in metrics.items() if not metric.partial or (sums[n] > 0).any()}


def intervals(
    metrics: Mapping[str, Counted], counts: Mapping[str, Floats], resamples: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95% percentile intervals (Efron & Tibshirani 1993, ch. 13).

    None where there are no resamples or no rows, and of a metric that has the same value in all resamples: they then
    tell nothing of what other rows would give.
    """
    rows = len(next(iter(counts.values()))) if counts else 0
    if not resamples or not rows:
        return {}
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for weights in _drawn(rows, resamples, seed):
        for name, metric in metrics.items():
            drawn[name].append(metric.of(weights @ counts[name]))
    found = {name: middle(np.concatenate(parts)) for name, parts in drawn.items()}
    return {name: (low, high) for name, (low, high) in found.items() if low < high}


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """95% score interval of a share (Wilson 1927, doi:10.2307/2276774); ``rows`` is at least 1."""
    z, share = 1.959964, hits / rows
    middle = share + z * z / (2 * rows)
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, (middle - half) / (1 + z * z / rows)), min(1.0, (middle + half) / (1 + z * z / rows))


@dataclass(frozen=True)
class Difference:
    """What the first of two models reaches more than the second, on the same rows.

    Attributes:
        difference: value of the first minus that of the second.
        low, high: 95% percentile interval of the paired bootstrap.
        p_value: two-sided: how often resampled differences, centred, lie as far out as the one that was seen (Efron &
            Tibshirani 1993, ch. 16; Koehn 2004 for translation).
        rows: that both answered.
    """

    difference: float
    low: float
    high: float
    p_value: float
    rows: int

    @property
    def told_apart(self) -> bool:
        """Whether the test tells the two apart at the 5% level."""
        return self.p_value < 0.05


def compared(metric: Counted, first: Floats, second: Floats, resamples: int = 10_000, seed: int = 0) -> Difference:
    """The paired bootstrap of one metric.

    Args:
        first, second: counts of the same rows in the same order, (N, K).

    Raises:
        ValueError: they are not of as many rows, or of none.
    """
    if first.shape != second.shape or not len(first):
        raise ValueError("counts of different rows cannot be compared in pairs")
    seen = float(metric.of(first.sum(0)) - metric.of(second.sum(0)))
    drawn = np.concatenate([metric.of(w @ first) - metric.of(w @ second) for w in _drawn(len(first), resamples, seed)])
    low, high = middle(drawn)
    beyond = int((np.abs(drawn - seen) >= abs(seen)).sum())
    return Difference(seen, low, high, (beyond + 1) / (resamples + 1), len(first))


def middle(drawn: Floats) -> tuple[float, float]:
    """Where the middle 95% of resampled values lie."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _drawn(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each row was drawn, (some resamples, rows) at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS_AT_ONCE // rows)
    for done in range(0, resamples, step):
        count = min(step, resamples - done)
        yield generator.multinomial(rows, np.full(rows, 1 / rows), count).astype(np.float64)
