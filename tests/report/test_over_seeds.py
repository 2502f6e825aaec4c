from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from espalier.report.over_seeds import over_seeds
from espalier.report.predictions import Predictions

ROWS = 500


def answers(right: np.ndarray, order: np.ndarray | None = None) -> Predictions:
    order = np.arange(len(right)) if order is None else order
    target = np.arange(len(right)) % 2
    prediction = np.where(right, target, 1 - target)
    return Predictions(
        row=order, target=target[order], prediction=prediction[order], scores=np.eye(2)[prediction][order]
    )


def trained(generator: np.random.Generator, seeds: int, by: float = 0.0, between: float = 0.0) -> list[Predictions]:
    """Runs of one experiment: rows are hard or easy for all of them, a seed is lucky or not."""
    hard = np.random.default_rng(3).normal(1.0, 1.0, ROWS)
    luck = generator.normal(by, between, (seeds, 1))
    return [answers(right) for right in hard + luck + generator.normal(0, 0.5, (seeds, ROWS)) > 0]


def test_the_difference_is_that_of_the_mean_accuracies_in_any_order_of_rows() -> None:
    generator = np.random.default_rng(0)
    first, second = trained(generator, 3, 0.6), trained(generator, 2)
    found = over_seeds(first, second)
    accuracies = [np.mean([run.right.mean() for run in side]) for side in (first, second)]
    assert found.difference == pytest.approx(accuracies[0] - accuracies[1])
    assert found.low < found.difference < found.high and found.told_apart and found.rows == ROWS
    order = generator.permutation(ROWS)
    assert over_seeds([answers(run.right, order) for run in first], second) == found


def test_seeds_that_differ_much_leave_little_to_tell() -> None:
    """A lucky seed against an unlucky one is told apart by its rows; three against three are not."""
    first = [answers(np.arange(ROWS) < kept) for kept in (450, 380, 360)]
    second = [answers(np.arange(ROWS) < kept) for kept in (390, 370, 350)]
    found = over_seeds(first, second)
    assert not found.told_apart and found.difference == pytest.approx(0.0533, abs=1e-3)
    assert over_seeds(first[:1], second[:2]).rows == ROWS  # one seed borrows the spread of the others


def test_where_rows_are_many_it_is_the_t_test_over_seeds() -> None:
    scores = [(0.90, 0.88, 0.86), (0.85, 0.86, 0.83)]
    many = np.arange(200_000) / 200_000
    mixed = np.random.default_rng(1).permutation
    first, second = ([answers(mixed(many) < score) for score in side] for side in scores)
    expected = ttest_ind(*scores)
    found = over_seeds(first, second)
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.05)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval(), abs=2e-3)


@pytest.mark.parametrize("between", [0.0, 0.15])
def test_of_equally_good_ones_few_are_told_apart(between: float) -> None:
    generator = np.random.default_rng(2)
    found = [over_seeds(*(trained(generator, 3, between=between) for _ in "ab")) for _ in range(400)]
    assert sum(one.told_apart for one in found) / len(found) < 0.07


def test_what_never_differs_is_equal() -> None:
    right = np.arange(ROWS) % 3 > 0
    found = over_seeds([answers(right)] * 2, [answers(right)] * 2)
    assert (found.difference, found.p_value, found.only_first, found.only_second) == (0, 1, 0, 0)
