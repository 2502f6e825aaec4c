from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.core.outcome import Outcome
from espalier.report.answers import told_by
from report.run_files import outcome_of, write_predictions


def put(folder: Path, **columns: object) -> Path:
    (folder / "predictions").mkdir()
    pq.write_table(pa.table(columns), folder / "predictions" / "test.parquet")
    return folder


def test_of_a_classifier(run_directory: Path, outcome: Outcome) -> None:
    told = told_by(run_directory, outcome, texts=True)
    assert told is not None and not told.several and told.matrix and told.reliability
    assert (told.rows, len(told.classes), told.ece) == (400, 4, outcome.metrics["test/ece"])
    assert told.worst is not None and told.worst.of == "label" and not told.slices and told.lengths is None


def test_texts_can_be_left_out(run_directory: Path, outcome: Outcome) -> None:
    with_texts, without = (told_by(run_directory, outcome, texts=texts) for texts in (True, False))
    assert with_texts is not None and without is not None
    assert all(error["text"] for error in with_texts.errors) and not any(error["text"] for error in without.errors)
    assert [error["row"] for error in with_texts.errors] == [error["row"] for error in without.errors]


def test_slices_and_lengths_are_told_where_the_rows_have_them(tmp_path: Path) -> None:
    write_predictions(tmp_path, classes=4, rows=40)
    file = tmp_path / "predictions" / "test.parquet"
    more = {"slice:channel": ["mail", "chat"] * 20, "length": list(range(40))}
    table = pq.read_table(file)
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, file)
    told = told_by(tmp_path, outcome_of(), texts=True)
    assert told is not None and set(told.slices) == {"channel", "length"} and told.lengths is not None


def test_of_rows_with_any_number_of_labels(tmp_path: Path) -> None:
    target = [[1, 0, 1], [0, 1, 0], [1, 1, 0]]
    put(
        tmp_path,
        row=[0, 1, 2],
        target=target,
        prediction=[[1, 0, 1], [0, 0, 0], [1, 1, 1]],
        scores=np.full((3, 3), 0.5).tolist(),
    )
    told = told_by(tmp_path, outcome_of(data={"labels": ["a", "b", "c"]}), texts=True)
    assert told is not None and told.several and told.matrix is None
    assert (told.rows, told.wrong, [(one.label, one.support) for one in told.classes]) == (
        3,
        2,
        [(1, 2), (2, 1), (0, 2)],
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"target": [0.5, 1.5], "prediction": [0.4, 1.1], "scores": [[0.1], [0.2]]},
        {"target": [0.5, 1.5], "prediction": [0.4, 1.1], "scores": [0.1, 0.2]},
        {"target": ["a", "b"], "prediction": ["a", "a"], "scores": [[0.1], [0.2]]},
        {"target": [[1], [1, 2]], "prediction": [[1], [2]], "scores": [[0.1], [0.2]]},
        {"target": [0, 1], "prediction": [0, 1]},
    ],
    ids=["regression", "one score", "words", "uneven lists", "no scores"],
)
def test_other_tasks_tell_nothing_here(tmp_path: Path, columns: dict[str, object]) -> None:
    assert told_by(put(tmp_path, row=[0, 1], **columns), outcome_of(), texts=True) is None


def test_more_classes_than_a_matrix_can_show_have_their_figures(tmp_path: Path) -> None:
    write_predictions(tmp_path, classes=150)
    told = told_by(tmp_path, outcome_of(), texts=True)
    assert told is not None and told.matrix is None and len(told.classes) > 120
