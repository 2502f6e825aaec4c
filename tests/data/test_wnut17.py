from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.config.compose import compose
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.wnut17 import Wnut17

COLUMNS = {"words": "tokens", "tags": "ner_tags"}


def read() -> Raw:
    return Wnut17(columns=COLUMNS, **COMMON).read()


def test_files_of_a_data_root_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [64, 16, 16]
    assert raw.labels[""] == ("O", "B-person", "I-person")


def test_without_files_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match="is not there, and this set is read from plain files"):
        read()


def test_it_chooses_its_task_and_the_command_line_still_wins() -> None:
    assert compose(["data=wnut17"]).choices["task"] == "tagging"
    assert compose(["data=wnut17", "task=multilabel"]).choices["task"] == "multilabel"


@pytest.mark.data
def test_real_files() -> None:
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [3394, 1009, 1287]
    assert len(raw.labels[""]) == 13
    tags = [raw.splits[split]["tags"].to_pylist() for split in raw.splits]
    begins = [sum(tag % 2 for row in rows for tag in row) for rows in tags]  # B- stands before I- of each type
    assert begins == [1975, 836, 1079]
