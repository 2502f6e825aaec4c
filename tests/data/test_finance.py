from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON, TEXT
from espalier.data.finance import Finance


def test_one_file_is_cut_into_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Finance(columns=TEXT, **COMMON).read()
    assert set(raw.splits) == {"train", "validation", "test"}
    assert sum(table.num_rows for table in raw.splits.values()) == 64


@pytest.mark.data
def test_real_file() -> None:
    raw = Finance(columns=TEXT, **{**COMMON, "split": {"validation": 0.1, "test": 0.1}}).read()
    assert [t.num_rows for t in raw.splits.values()] == [3_877, 484, 485]
    assert raw.labels[""] == ("negative", "neutral", "positive")
