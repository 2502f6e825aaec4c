from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON, TEXT
from espalier.checks.rows import findings
from espalier.data.imdb import Imdb


def test_local_files_have_named_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Imdb(columns=TEXT, **COMMON).read()
    assert raw.labels[""] == ("negative", "positive")
    assert raw.splits["test"].num_rows == 16


def test_another_column_may_be_the_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    assert Imdb(columns={"text": "text", "label": "rating"}, **COMMON).read().labels[""] == ("2", "9")


@pytest.mark.data
def test_real_files_and_the_texts_that_they_share() -> None:
    raw = Imdb(columns=TEXT, **{**COMMON, "split": {"validation": 0.1}}).read()
    assert {s: t.num_rows for s, t in raw.splits.items()} == {"train": 22_500, "validation": 2_500, "test": 25_000}
    found = findings(raw)
    assert (found.leaked["test"], found.repeated["test"]) == (123, 199)
    assert found.repeated["train"] + found.leaked["validation"] + found.repeated.get("validation", 0) == 96
