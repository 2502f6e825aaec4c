from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.config.compose import compose
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.multi30k import Multi30k

COLUMNS = {"source": "en", "target": "de"}


def read(columns: dict[str, str] = COLUMNS, test_set: int = 2016) -> Raw:
    return Multi30k(columns=columns, test_set=test_set, **COMMON).read()  # type: ignore[arg-type]


def test_files_of_a_data_root_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [64, 16, 16]
    assert raw.kinds == {"source": "text", "target": "target"} and raw.labels == {}
    assert raw.splits["train"]["source"][0].as_py() == "a dog number 0"
    turned = read({"source": "de", "target": "en"})
    assert turned.splits["train"]["source"].equals(raw.splits["train"]["target"])


def test_without_files_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"multi30k_en_de  is not there, .*ESPALIER_DATA"):
        read()


def test_it_chooses_its_task_and_the_command_line_still_wins() -> None:
    assert compose(["data=multi30k"]).choices["task"] == "translation"
    assert compose(["data=multi30k", "task=retrieval"]).choices["task"] == "retrieval"


@pytest.mark.data
def test_real_files() -> None:
    raw = read()
    assert [raw.splits[split].num_rows for split in ("train", "validation", "test")] == [29_000, 1_014, 1_000]
    assert raw.splits["test"]["source"][0].as_py() == "A man in an orange hat starring at something."
    assert not any(count.dropped for count in raw.counts.values())
    assert [read(test_set=year).splits["test"].num_rows for year in (2017, 2018)] == [1000, 1071]
