from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from espalier.report.paired import Paired, corrected, mcnemar, paired, same_rows, verdict
from espalier.report.predictions import MultiLabel, Predictions


def answers(right: np.ndarray, order: np.ndarray | None = None) -> Predictions:
    rows = len(right)
    order = np.arange(rows) if order is None else order
    target = np.arange(rows) % 2
    prediction = np.where(right, target, 1 - target)
    scores = np.eye(2)[prediction]
    return Predictions(row=order, target=target[order], prediction=prediction[order], scores=scores[order])


GENERATOR = np.random.default_rng(0)
GOOD, POOR = GENERATOR.random(800) < 0.9, GENERATOR.random(800) < 0.8


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 0), (9, 2), (40, 61), (500, 430)])
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    expected = binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=1e-9)


def test_the_difference_is_that_of_the_accuracies_and_its_interval_that_of_drawn_rows() -> None:
    found = paired(answers(GOOD), answers(POOR))
    assert found.difference == pytest.approx(GOOD.mean() - POOR.mean())
    drawn = GENERATOR.integers(0, 800, (2000, 800))
    expected = np.quantile(GOOD[drawn].mean(1) - POOR[drawn].mean(1), (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx(expected, abs=0.005)
    assert found.told_apart and found.only_first - found.only_second == GOOD.sum() - POOR.sum()


def test_the_order_of_rows_does_not_matter() -> None:
    assert paired(answers(GOOD), answers(POOR, GENERATOR.permutation(800))) == paired(answers(GOOD), answers(POOR))


def test_other_rows_are_not_compared() -> None:
    assert not same_rows(answers(GOOD), answers(POOR[:-1]))
    with pytest.raises(ValueError, match="different rows"):
        paired(answers(GOOD), answers(POOR[:-1]))


def test_the_verdict_names_the_better_one() -> None:
    assert verdict(paired(answers(POOR), answers(GOOD)), "A", "B").startswith("B is better than A by ")
    assert "[0.3, 2.1], McNemar p = 0.008" in verdict(Paired(-0.012, -0.021, -0.003, 0.008, 1000, 5, 17), "A", "B")


def test_of_any_number_of_labels_a_row_it_is_the_subset_accuracy() -> None:
    generator = np.random.default_rng(5)
    target = generator.integers(0, 2, (300, 3))
    sides = [np.where(generator.random((300, 3)) < wrong, 1 - target, target) for wrong in (0.05, 0.3)]
    many = [MultiLabel(row=np.arange(300), target=target, prediction=one, scores=one.astype(float)) for one in sides]
    assert " points of subset accuracy [" in verdict(paired(*many), "A", "B")


def test_the_verdict_says_where_none_can_be_told() -> None:
    said = "no difference can be told between A and B: "
    assert verdict(Paired(0.002, -0.01, 0.02, 0.6, 100, 3, 2), "A", "B").startswith(f"{said}A is ahead by 0.2 points")
    assert verdict(Paired(0.0, -0.1, 0.1, 1.0, 100, 3, 3), "A", "B").startswith(f"{said}0.0 points")
    few = Paired(-0.172, -0.31, -0.034, 0.062, 29, 1, 6)
    assert verdict(few, "A", "B").endswith("McNemar p = 0.062; too few rows differ to be sure")
    assert verdict(replace(few, among=2), "A", "B").endswith("; the interval is of these two alone")
    assert verdict(paired(answers(GOOD), answers(GOOD)), "A", "B") == "A and B are right on the same rows"


def test_several_tests_at_once_are_corrected() -> None:
    given = [Paired(0.1, 0.0, 0.2, p, 100, 5, 3) if p is not None else None for p in (0.03, None, 0.01, 0.04)]
    found = corrected(given)
    assert [one.p_value for one in found if one] == pytest.approx([0.06, 0.03, 0.06]) and found[1] is None
    assert [bool(one and one.told_apart) for one in found] == [False, False, True, False]
    assert found[2] and "McNemar p = 0.030 (corrected for 3 tests)" in verdict(found[2], "A", "C")
    assert corrected(given[:2]) == given[:2]
