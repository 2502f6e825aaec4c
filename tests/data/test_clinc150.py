from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.core.facts import Raw
from espalier.data.clinc150 import Clinc150


def read(oos: Literal["drop", "label"]) -> Raw:
    return Clinc150(columns={"text": "text", "label": "intent"}, oos=oos, **COMMON).read()


def sizes(raw: Raw) -> list[int]:
    return [raw.splits[split].num_rows for split in ("train", "validation", "test")]


def test_out_of_scope_rows_are_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read("drop")
    assert sizes(raw) == [64, 16, 16]
    assert raw.counts["test"].dropped == {"out of scope": 4}
    assert raw.counts["test"].read == 20
    assert raw.splits["train"]["row"].to_pylist() == list(range(2, 66))


def test_out_of_scope_may_be_a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read("label")
    assert sizes(raw) == [68, 20, 20]
    assert raw.labels[""] == ("0", "1", "oos")


@pytest.mark.data
def test_real_files() -> None:
    assert sizes(read("drop")) == [15_000, 3_000, 4_500]
    raw = read("label")
    assert sizes(raw) == [15_100, 3_100, 5_500]
    assert len(raw.labels[""]) == 151
