from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON, TEXT
from espalier.data.sst2 import Sst2


def test_local_files_have_named_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Sst2(columns=TEXT, **COMMON).read()
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"train": 64, "validation": 16, "test": 16}
    assert raw.labels[""] == ("negative", "positive")
    assert raw.splits["train"].slice(1, 1).to_pylist() == [
        {"row": 3, "text": "a warm and funny film number 1", "label": 1}
    ]


@pytest.mark.data
def test_real_files() -> None:
    raw = Sst2(columns=TEXT, **COMMON).read()
    assert {s: t.num_rows for s, t in raw.splits.items()} == {"train": 6_920, "validation": 872, "test": 1_821}
    assert all(counts.read == counts.kept for counts in raw.counts.values())
