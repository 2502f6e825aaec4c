from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.checks.rows import findings
from espalier.config.compose import compose
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.subjqa import Subjqa

COLUMNS = {"context": "context", "question": "question", "answers": "answers"}
ALL: Any = ["electronics", "grocery", "restaurants", "tripadvisor"]


def read(domains: Any = ALL) -> Raw:
    common = {**COMMON, "split": {"validation": 0.2, "test": 0.0}}
    return Subjqa(domains=domains, columns=COLUMNS, overlap=2, **common).read()


def test_the_domains_are_read_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [77, 19, 32]
    assert raw.splits["test"]["slice:domain"].to_pylist() == [domain for domain in ALL for _ in range(8)]
    assert set(read(["grocery", "grocery"]).splits["train"]["slice:domain"].to_pylist()) == {"grocery"}


def test_without_files_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match="is not there, and this set is read from plain files"):
        read()


def test_it_chooses_its_task_and_the_command_line_still_wins() -> None:
    assert compose(["data=subjqa"]).choices["task"] == "reading"
    assert compose(["data=subjqa", "task=multilabel"]).choices["task"] == "multilabel"


@pytest.mark.data
def test_real_files() -> None:
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [3987, 997, 1727]
    none = {split: sum(not row for row in table["answers"].to_pylist()) for split, table in raw.splits.items()}
    assert none["train"] + none["validation"] == 1986 and none["test"] == 599
    assert not findings(raw).leaked.get("test")
