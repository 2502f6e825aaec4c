from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.checks.rows import findings
from espalier.data.banking77 import Banking77

COLUMNS = {"text": "text", "label": "category"}


def test_local_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = Banking77(columns=COLUMNS, **COMMON).read()
    assert set(raw.splits) == {"train", "validation", "test"}
    assert raw.splits["test"].num_rows == 16


@pytest.mark.data
def test_real_files_and_the_texts_that_they_share() -> None:
    raw = Banking77(columns=COLUMNS, **COMMON).read()
    counts = {split: counts.read for split, counts in raw.counts.items()}
    assert (counts["train"] + counts["validation"], counts["test"]) == (10_003, 3_080)
    assert len(raw.labels[""]) == 77
    assert findings(raw).leaked["test"] == 7
