from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.core.errors import DataError
from espalier.data.answered import read_answered
from espalier.data.common import Source

COLUMNS = {"context": "context", "question": "question", "answers": "answers"}
CONTEXT = "Ada met Grace. Grace met Alan."


def read(path: Path, *rows: dict[str, Any], slices: tuple[str, ...] = (), on_null: Any = "error") -> Source:
    """What is read of rows that are written first; keys that they lack are those of a whole row."""
    whole = [{"context": CONTEXT, "question": "Who?", "answers": [], **row} for row in rows]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(whole), path)
    elif path.suffix == ".json":
        path.write_text(json.dumps({"data": whole}))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in whole))
    return read_answered({"train": [path]}, COLUMNS, slices, on_null, "here")


ADA, GRACE = {"start": 0, "text": "Ada"}, {"start": 8, "text": "Grace"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"text": ["Ada", "Grace"], "answer_start": [0, 15]}, [ADA, {"start": 15, "text": "Grace"}]),
        ({"text": ["Grace"]}, [GRACE]), ([{"text": "Grace", "answer_start": 8}], [GRACE]),
        (["Ada", "Grace"], [ADA, GRACE]),
        ("Ada", [ADA]), ("", []), (None, []), ([], []), ({"text": [], "answer_start": []}, []),
    ],
)  # fmt: skip
def test_answers_may_be_written_in_many_ways(given: Any, wanted: list[Any], tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", {"answers": given}).splits["train"]["answers"] == [wanted]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet"])
def test_a_file_s_ending_says_how_it_is_read(name: str, tmp_path: Path) -> None:
    source = read(tmp_path / name, {"answers": ["Ada"], "domain": 3}, {"answers": ["Alan"]}, slices=("domain",))
    assert source.splits["train"]["answers"] == [[ADA], [{"start": 25, "text": "Alan"}]]
    assert source.splits["train"]["slice:domain"] == ["3", ""]
    assert source.row_numbers("train").tolist() == ([0, 1] if name.endswith("parquet") else [1, 2])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answers": 3}, "is no list of answers on line 1"),
        ({"answers": [3]}, "is no list of answers"),
        ({"answers": {"text": ["Ada"], "answer_start": [0, 1]}}, "is no list of answers"),
        ({"answers": {"text": ["Ada"], "answer_start": ["0"]}}, "is no list of answers"),
        ({"answers": [{"text": "Ada", "answer_start": -1}]}, "is no list of answers"),
        ({"answers": [{"text": "Ada", "answer_start": 3}]}, "is not at character 3 of its context: 'Ada'"),
        ({"answers": ["Zoe"]}, "has an answer that is not in its context: 'Zoe'"),
        ({"answers": [" "]}, "has an answer without a text"),
        ({"question": ["Who?"]}, "is no text on line 1"),
        ({"context": " "}, "has no question or no context on line 1"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_meant_is_told_with_its_place(row: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path / "a.jsonl", row)


def test_rows_that_lack_something_can_be_dropped_and_are_counted(tmp_path: Path) -> None:
    source = read(tmp_path / "a.jsonl", {"question": None}, {"answers": ["Ada"]}, on_null="drop")
    assert source.row_numbers("train").tolist() == [2] and source.dropped == {"train": {"empty": 1}}


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"context": "x", "question": "y"}\n')
    with pytest.raises(DataError, match=r"data\.columns\.answers=answers.*is no column"):
        read_answered({"train": [tmp_path / "a.jsonl"]}, COLUMNS, (), "error", "here")


def test_a_later_file_s_numbers_go_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        read(tmp_path / f"{name}.jsonl", {}, {})
    files = {"train": [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]}
    source = read_answered(files, COLUMNS, (), "error", "here")
    assert source.row_numbers("train").tolist() == [1, 2, 4, 5]
    assert source.where("train", 3).endswith("line 2 of " + str(tmp_path / "b.jsonl"))
