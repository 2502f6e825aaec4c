from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from data.examples import FILES, write
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.jsonl import Jsonl


def lines(rows: int, label: Any = lambda i: i % 2) -> str:
    return "".join(json.dumps({"text": f"text {i}", "label": label(i)}) + "\n" for i in range(rows))


def read(path: Path, **changed: Any) -> Raw:
    return Jsonl(**{**FILES, "path": str(path), **changed}).read()


def test_one_label_a_row(tmp_path: Path) -> None:
    raw = read(write(tmp_path / "a.jsonl", lines(40)))
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 28, "validation": 8, "test": 4}
    assert (raw.labels[""], raw.kinds["label"], sum(raw.label_counts)) == (("0", "1"), "label", 28)


def test_any_number_of_labels_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(lines(40, lambda i: [["a", "b"], ["b"], []][i % 3]).encode()))
    raw = read(tmp_path / "a.gz")
    assert (raw.labels[""], raw.kinds["label"]) == (("a", "b"), "labels")
    assert all(len(row) == 2 for row in raw.splits["validation"]["label"].to_pylist())
    assert raw.splits["train"].num_rows == 28 and sum(raw.label_counts) == 29


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"text": "a", "label": "x"}\n{"text": "b"}\n', "a.jsonl  has empty cells: 'label' on line 2"),
        ('{"text": "a", "label": "x"}\n{"text": ["b"], "label": "y"}\n', "is no text on line 2 of"),
        (
            '{"text": "a", "label": ["x"]}\n{"text": "b", "label": "y"}\n',
            "is a list of labels on some rows, and on line 2",
        ),
        ('{"text": "a", "label": []}\n{"text": "b", "label": []}\n', "has no label on any row"),
        ("text,label\na,b\n", "holds no JSON lines"),
    ],
)
def test_file_that_misbehaves_is_answered(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(write(tmp_path / "a.jsonl", text))
    assert said in str(caught.value)


def test_what_pandas_writes_for_an_empty_cell_is_empty(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"text": "a", "label": "x"}\n{"text": NaN, "label": "y"}\n')
    with pytest.raises(DataError, match=r"empty cells: .*on line 2.*data.on_null=drop"):
        read(file)
