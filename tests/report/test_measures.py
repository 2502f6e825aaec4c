from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from espalier.report.measures import calibration, class_figures
from espalier.report.predictions import Predictions


@pytest.fixture
def predictions() -> Predictions:
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(4) * 0.4, 500)
    target = np.where(generator.random(500) < 0.7, scores.argmax(1), generator.integers(0, 4, 500))
    return Predictions(np.arange(500), target, scores.argmax(1), scores)


def test_class_figures_are_scikit_learns(predictions: Predictions) -> None:
    expected = precision_recall_fscore_support(predictions.target, predictions.prediction)
    for one in class_figures(predictions.confusion()):
        found = (one.precision, one.recall, one.f1, one.support)
        assert found == pytest.approx([column[one.label] for column in expected])


def test_the_weakest_class_comes_first_and_one_that_never_occurs_not_at_all() -> None:
    figures = class_figures(np.array([[8, 2, 0], [6, 4, 0], [0, 0, 0]]))
    assert [one.label for one in figures] == [1, 0]


def test_a_class_that_is_never_predicted_has_no_precision_to_speak_of() -> None:
    figures = class_figures(np.array([[3, 0], [2, 0]]))
    assert (figures[0].label, figures[0].predicted, figures[0].f1) == (1, 0, 0.0)


def test_calibration_error_is_the_definitions(predictions: Predictions) -> None:
    bins, ece = calibration(predictions)
    sure, hit = predictions.scores.max(1), predictions.prediction == predictions.target
    place = np.minimum((sure * 15).astype(int), 14)
    expected = sum(abs(sure[place == i].mean() - hit[place == i].mean()) * (place == i).mean() for i in set(place))
    assert ece == pytest.approx(expected)
    assert sum(one.rows for one in bins) == 500
    assert all(one.low <= one.confidence <= one.high for one in bins)


def test_rows_without_a_finite_score_are_left_out_of_calibration() -> None:
    scores = np.array([[np.nan, np.nan], [0.8, 0.2]])
    bins, ece = calibration(Predictions(np.arange(2), np.array([0, 0]), np.array([0, 0]), scores))
    assert [one.rows for one in bins] == [1] and ece == pytest.approx(0.2)
    assert calibration(Predictions(np.arange(1), np.array([0]), np.array([0]), scores[:1])) == ([], 0)
