from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.examples import FILES
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.parquet import Parquet


def read(path: Path, columns: dict[str, list[Any]], **changed: Any) -> Raw:
    pq.write_table(pa.table(columns), path / "a.parquet")
    return Parquet(**{**FILES, "path": str(path / "a.parquet"), **changed}).read()


def test_rows_are_numbered_from_0_and_other_columns_are_left_alone(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(40)]
    raw = read(tmp_path, {"text": texts, "label": [i % 2 for i in range(40)], "other": [[1]] * 40})
    assert sorted(r for table in raw.splits.values() for r in table["row"].to_pylist()) == list(range(40))
    assert raw.splits["train"].column_names == ["row", "text", "label"]


def test_labels_as_lists(tmp_path: Path) -> None:
    raw = read(tmp_path, {"text": ["a", "b", "c"] * 10, "label": [["x"], ["x", "y"], []] * 10})
    assert (raw.kinds["label"], raw.labels[""]) == ("labels", ("x", "y"))


def test_dates_and_numbers_are_slices(tmp_path: Path) -> None:
    days, stars = [date(2026, 1, 1 + i % 2) for i in range(40)], [float(i % 3) if i % 3 else None for i in range(40)]
    columns = {"text": [f"text {i}" for i in range(40)], "label": [i % 2 for i in range(40)], "day": days, "n": stars}
    train = read(tmp_path, columns, slices=["day", "n"]).splits["train"]
    assert set(train["slice:day"].to_pylist()) == {"2026-01-01", "2026-01-02"}
    assert set(train["slice:n"].to_pylist()) == {"", "1", "2"}


def test_faults_name_the_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has empty cells: .*on row 1"):
        read(tmp_path, {"text": ["a", None], "label": [0, 1]})
    with pytest.raises(DataError, match=r"data.columns.text=text  is no column of .*It has: review, label"):
        read(tmp_path, {"review": ["a", "b"], "label": [0, 1]})
