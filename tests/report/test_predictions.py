from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from espalier.report.predictions import Predictions, read_predictions, worst_errors
from report.run_files import TEXTS, write_predictions

SMALL = Predictions(
    row=np.array([10, 11, 12, 13]),
    target=np.array([0, 1, 1, 2]),
    prediction=np.array([0, 0, 2, 2]),
    scores=np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.1, 0.2, 0.7], [0.0, 0.2, 0.8]]),
)


def test_confusion_counts_targets_by_predictions() -> None:
    assert SMALL.confusion().tolist() == [[1, 0, 0], [1, 0, 1], [0, 0, 1]]


def test_worst_are_the_wrong_ones_the_surest_first() -> None:
    assert SMALL.worst() == [2, 1]
    assert SMALL.worst(1) == [2]


def test_a_written_file_is_read_as_it_was(tmp_path: Path) -> None:
    write_predictions(tmp_path, classes=5, rows=60)
    predictions = read_predictions(tmp_path / "predictions" / "test.parquet")
    assert predictions is not None
    assert predictions.scores.shape == (60, 5)
    np.testing.assert_allclose(predictions.scores.sum(1), 1, atol=1e-6)
    assert (predictions.scores.argmax(1) == predictions.prediction).all()


def test_files_that_are_no_classifiers_answers_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "test.parquet"
    assert read_predictions(file) is None
    pq.write_table(pa.table({"row": [1], "image": ["x"]}), file)
    assert read_predictions(file) is None
    empty = pa.table({name: pa.array([], pa.int64()) for name in ("row", "target", "prediction", "scores")})
    pq.write_table(empty, file)
    assert read_predictions(file) is None


def test_worst_errors_come_with_the_texts_that_the_run_wrote(tmp_path: Path) -> None:
    write_predictions(tmp_path, classes=5)
    predictions = read_predictions(tmp_path / "predictions" / "test.parquet")
    assert predictions is not None
    errors = worst_errors(predictions, tmp_path / "predictions" / "examples.jsonl")
    assert [error["text"] for error in errors[:3]] == list(TEXTS[:3])
    assert [error["row"] for error in errors] == [int(predictions.row[i]) for i in predictions.worst()]


def test_worst_errors_without_texts_come_from_the_predictions(tmp_path: Path) -> None:
    empty = tmp_path / "examples.jsonl"
    for there in (False, True):
        errors = worst_errors(SMALL, empty)
        assert errors[0] == {"row": 12, "text": "", "target": 1, "prediction": 2, "score": 0.7}, there
        empty.touch()
