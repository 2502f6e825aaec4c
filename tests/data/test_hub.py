from __future__ import annotations

from pathlib import Path

import pytest

from data.examples import COMMON, TEXT
from espalier.core.errors import DataError
from espalier.data.hub import from_hub
from espalier.data.sst2 import Sst2


def test_source_that_is_nowhere_says_which_folder_would_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run with HF_HUB_OFFLINE=1, so the hub has nothing."""
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with pytest.raises(DataError) as caught:
        from_hub("sst2", "espalier-tests/no-such-set")
    said = str(caught.value)
    assert f"data=sst2  is not at {tmp_path / 'sst2'}" in said
    assert "Set ESPALIER_DATA to the folder that holds sst2/, or go online." in said


def test_option_asks_the_hub_when_its_folder_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def found(name: str, dataset: str) -> dict[str, dict[str, list[object]]]:
        asked.append((name, dataset))
        return {split: {"text": ["a", "b"] * 5, "label": [0, 1] * 5} for split in ("train", "validation", "test")}

    monkeypatch.delenv("ESPALIER_DATA", raising=False)
    monkeypatch.setattr("espalier.data.sst2.from_hub", found)
    raw = Sst2(columns=TEXT, **COMMON).read()
    assert asked == [("sst2", "SetFit/sst2")]
    assert (raw.origin, raw.labels[""]) == ("hub SetFit/sst2", ("negative", "positive"))
