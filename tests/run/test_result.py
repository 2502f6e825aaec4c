from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from espalier.run.result import Measured, missing, predictions_table, write_table

ROWS = pa.table({"row": [7, 3, 5], "text": ["a", "b", "c"], "slice:channel": ["mail", "chat", "fax"]})
LENGTH = np.array([70, 30, 50])


def test_predictions_get_what_tells_their_rows_apart() -> None:
    columns = {"row": np.array([3, 5, 7]), "target": np.array([0, 1, 1]), "scores": [np.ones(2)] * 3}
    table = predictions_table(columns, ROWS, LENGTH)
    assert table["slice:channel"].to_pylist() == ["chat", "fax", "mail"]
    assert table["length"].to_pylist() == [30, 50, 70]
    assert "text" not in table.column_names


def test_rows_of_several_sources_stay_as_the_task_told_them() -> None:
    table = predictions_table({"row": np.array([3, 4])}, ROWS, LENGTH)
    assert table.column_names == ["row"]


def test_metrics_by_split() -> None:
    tested = Measured("validation", {"loss": 0.5}, {"loss": (0.4, 0.6)}, None)
    assert tested.by_split() == ({"validation/loss": 0.5}, {"validation/loss": (0.4, 0.6)})


def test_what_a_done_run_lacks(tmp_path: Path) -> None:
    table = pa.table({"row": [1]})
    tested = Measured("test", {}, {}, table)
    for name in ("config.yaml", "facts.json", "metrics.jsonl"):
        (tmp_path / name).touch()
    assert missing(tmp_path, tested) == ["predictions/test.parquet", "model/"]
    assert missing(tmp_path, None) == [], "a trial leaves no predictions and no model"
    (tmp_path / "model").mkdir()
    (tmp_path / "predictions").mkdir()
    write_table(tmp_path / "predictions" / "test.parquet", table)
    assert missing(tmp_path, tested) == []
    (tmp_path / "metrics.jsonl").unlink()
    assert missing(tmp_path, None) == ["metrics.jsonl"]
