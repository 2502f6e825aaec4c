from __future__ import annotations

import json
from pathlib import Path

import pytest

from conf.toy_data import write_answered
from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.data.squad import Squad

COLUMNS = {"context": "context", "question": "question", "answers": "answers"}


def squad(path: Path, **values: object) -> Squad:
    given = {"validation_path": None, "test_path": None, "slices": [], "on_null": "error", "overlap": 4}
    return Squad(path=str(path), columns=COLUMNS, **{**given, **COMMON, **values})  # type: ignore[arg-type]


def test_rows_are_cut_where_there_are_no_files_of_their_own(tmp_path: Path) -> None:
    data = squad(write_answered(tmp_path / "a.jsonl", 40))
    raw = data.read()
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 28, "validation": 8, "test": 4}
    assert dict(raw.kinds) == {"context": "text", "question": "text", "answers": "spans"} and not raw.labels
    assert data.batching.overlap == 4 and data.batching.max_length == 16
    spans = [(row["context"], answer) for row in raw.splits["train"].to_pylist() for answer in row["answers"]]
    assert spans and all(context[answer["start"] :].startswith(answer["text"]) for context, answer in spans)


def test_questions_about_a_context_stay_together(tmp_path: Path) -> None:
    rows = [
        {"context": f"The sky of day {i % 12} is blue.", "question": f"What is it, {i}?", "answers": ["blue"]}
        for i in range(60)
    ]
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    splits = squad(file).read().splits
    contexts = {split: set(table["context"].to_pylist()) for split, table in splits.items()}
    assert sum(map(len, contexts.values())) == 12 and set(contexts) == {"train", "validation", "test"}
    assert sum(table.num_rows for table in splits.values()) == 60


def test_files_of_their_own(tmp_path: Path) -> None:
    train, test = write_answered(tmp_path / "a.jsonl", 20), write_answered(tmp_path / "b.jsonl", 5)
    raw = squad(train, validation_path=str(test), test_path=[str(test)]).read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [20, 5, 5]


def test_a_pattern_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="matches no file"):
        squad(tmp_path / "none*.json").read()
