from __future__ import annotations

from pathlib import Path

import pytest

from data.examples import COMMON
from espalier.config.compose import compose
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.alpaca import Alpaca

COLUMNS = {"instruction": "instruction", "input": "input", "answer": "output", "messages": None}


def read(**changed: object) -> Raw:
    return Alpaca(language="en", columns=COLUMNS, packing=True, **{**COMMON, **changed}).read()  # type: ignore[typeddict-item]


def test_without_files_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"alpaca_demo .*Set ESPALIER_DATA to the folder that holds alpaca_demo/"):
        read()


def test_it_chooses_its_task_and_the_command_line_still_wins() -> None:
    assert compose(["data=alpaca"]).choices["task"] == "instruction_tuning"
    assert compose(["data=alpaca", "task=language_modelling"]).choices["task"] == "language_modelling"


@pytest.mark.data
def test_real_files() -> None:
    raw = read(split={"validation": 0.1, "test": 0.1})
    assert sum(table.num_rows for table in raw.splits.values()) == 999
    assert raw.kinds == {"instruction": "text", "input": "aside", "answer": "target"} and raw.notes == ()
    inputs = [text for table in raw.splits.values() for text in table["input"].to_pylist()]
    assert 300 < sum(map(bool, inputs)) < 500
