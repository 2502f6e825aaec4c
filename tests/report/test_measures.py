from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from espalier.report.measures import calibration, class_figures, label_figures
from espalier.report.predictions import MultiLabel, Predictions


@pytest.fixture
def predictions() -> Predictions:
    generator = np.random.default_rng(0)
    scores = generator.dirichlet(np.ones(4) * 0.4, 500)
    target = np.where(generator.random(500) < 0.7, scores.argmax(1), generator.integers(0, 4, 500))
    return Predictions(row=np.arange(500), target=target, prediction=scores.argmax(1), scores=scores)


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


def test_the_bins_come_to_the_expected_calibration_error(predictions: Predictions) -> None:
    bins = calibration(predictions)
    sure, hit = predictions.scores.max(1), predictions.prediction == predictions.target
    place = np.minimum((sure * 15).astype(int), 14)
    expected = sum(abs(sure[place == i].mean() - hit[place == i].mean()) * (place == i).mean() for i in set(place))
    assert sum(b.rows * abs(b.confidence - b.accuracy) for b in bins) / 500 == pytest.approx(expected)
    assert sum(one.rows for one in bins) == 500
    assert all(one.low <= one.confidence <= one.high for one in bins)


def test_rows_without_a_finite_score_are_left_out_of_calibration() -> None:
    scores = np.array([[np.nan, np.nan], [0.8, 0.2]])
    known = {"row": np.arange(2), "target": np.array([0, 0]), "prediction": np.array([0, 0])}
    (only,) = calibration(Predictions(**known, scores=scores))
    assert (only.rows, only.accuracy) == (1, 1.0) and only.confidence == pytest.approx(0.8)
    assert calibration(Predictions(**known, scores=np.full((2, 2), np.nan))) == []


def test_label_figures_are_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    target, prediction = generator.integers(0, 2, (200, 5)), generator.integers(0, 2, (200, 5))
    answers = MultiLabel(row=np.arange(200), target=target, prediction=prediction, scores=prediction * 0.5)
    expected = precision_recall_fscore_support(target, prediction)
    for one in label_figures(answers):
        found = (one.precision, one.recall, one.f1, one.support)
        assert found == pytest.approx([column[one.label] for column in expected])
