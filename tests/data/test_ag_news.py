from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON, TEXT
from espalier.data.ag_news import AgNews


def test_titles_and_descriptions_of_test_rows_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = AgNews(columns=TEXT, **COMMON).read()
    assert sum(raw.splits[split].num_rows for split in ("train", "validation")) == 64
    assert raw.splits["test"].slice(1, 1).to_pylist() == [{"row": 3, "text": "title 1 what it says", "label": 1}]


@pytest.mark.data
def test_real_files() -> None:
    raw = AgNews(columns=TEXT, **COMMON).read()
    counts = {split: counts.read for split, counts in raw.counts.items()}
    assert (counts["train"] + counts["validation"], counts["test"]) == (9_727, 7_600)
    assert raw.labels[""] == ("Business", "Sci/Tech", "Sports", "World")
