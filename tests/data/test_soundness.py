from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.examples import COMMON, FILES, write
from espalier.core.errors import DataError
from espalier.data.common import Source
from espalier.data.csv import Csv
from espalier.data.instructions import Instructions
from espalier.data.soundness import require_equal_lengths, require_known_labels, require_labels, require_rows
from espalier.data.squad import Squad

GOOD = "text,label\n" + "".join(f"text {i},c{i % 2}\n" for i in range(40))
LEFT = {**COMMON, "validation_path": None, "test_path": None, "slices": [], "on_null": "drop"}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_of_which_all_rows_were_dropped_is_told_by_its_files(split: str, tmp_path: Path) -> None:
    held = [str(write(tmp_path / f"{name}.csv", "text,label\n,c0\na,\n")) for name in "bc"]
    given = {**FILES, "path": str(write(tmp_path / "a.csv", GOOD)), f"{split}_path": held, "on_null": "drop"}
    with pytest.raises(DataError, match=rf"b.csv and 1 more  has no {split} rows left \(4 dropped: empty\)"):
        Csv(**{"encoding": "utf-8", "delimiter": None, **given}).read()


def test_training_rows_that_were_all_dropped_are_told_whatever_is_learned(tmp_path: Path) -> None:
    asked = write(tmp_path / "a.jsonl", json.dumps({"context": "a b", "question": None, "answers": []}) + "\n")
    told = write(tmp_path / "b.jsonl", json.dumps({"instruction": "a", "output": None}) + "\n")
    columns = {role: role for role in ("context", "question", "answers")}
    squad = Squad(**{**LEFT, "path": str(asked), "columns": columns, "overlap": 2})
    with pytest.raises(DataError, match=r"a.jsonl  has no train rows left \(1 dropped: empty\)"):
        squad.read()
    more: dict[str, Any] = {"encoding": "utf-8", "delimiter": None, "packing": False}
    more["columns"] = {"instruction": "instruction", "input": None, "answer": "output", "messages": None}
    with pytest.raises(DataError, match=r"b.jsonl  has no train rows left \(1 dropped: empty\)"):
        Instructions(**{**LEFT, **more, "path": str(told)}).read()


def test_what_rows_must_be() -> None:
    source = Source({"train": {"text": ["a"], "label": ["x"]}, "test": {"text": ["b"], "label": ["y"]}}, "here")
    require_equal_lengths(source)
    require_rows(source)
    assert require_labels(source, "train") is False
    require_known_labels(source, ("x", "y"))
    with pytest.raises(DataError, match=r"the test rows  have labels that training lacks: 'y' \(row 0\)"):
        require_known_labels(source, ("x",))
    with pytest.raises(DataError, match="here  has no rows to train on"):
        require_rows(Source({"train": {"text": [], "label": []}}, "here"))
