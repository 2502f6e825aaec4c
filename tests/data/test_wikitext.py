from __future__ import annotations

from pathlib import Path

import pytest

from conf.toy_data import write_data_root
from data.examples import COMMON
from espalier.config.compose import compose
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.wikitext import Wikitext, restored


def read() -> Raw:
    return Wikitext(**{**COMMON, "split": {"validation": 0.1, "test": 0.0}}).read()  # type: ignore[arg-type]


def test_the_validation_text_is_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(write_data_root(tmp_path)))
    raw = read()
    assert list(raw.splits) == ["train", "validation", "test"] and raw.kinds["document"] == "id"
    text = "".join(raw.splits["train"]["text"].to_pylist() + raw.splits["validation"]["text"].to_pylist())
    assert text.startswith("Speaker 0:") and "number 119." in text


def test_what_the_set_took_apart_is_joined_and_what_it_took_out_is_left_out() -> None:
    assert restored("a well @-@ known 1 @,@ 000 2 @.@ 5 <unk> of <unk>") == "a well-known 1,000 2.5 of "
    assert restored("an @ sign and < unk >") == "an @ sign and < unk >"


def test_without_files_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match="is not there, and this set is read from plain files"):
        read()


def test_it_chooses_its_task_and_the_command_line_still_wins() -> None:
    assert compose(["data=wikitext"]).choices["task"] == "masked_language_modelling"
    assert compose(["data=wikitext", "task=language_modelling"]).choices["task"] == "language_modelling"


@pytest.mark.data
def test_real_files() -> None:
    raw = read()
    words = {split: sum(len(text.split()) for text in table["text"].to_pylist()) for split, table in raw.splits.items()}
    assert (
        170_000 < words["train"] < 200_000
        and 15_000 < words["validation"] < 22_000
        and 200_000 < words["test"] < 242_000
    )
    assert not any("<unk>" in text or "@-@" in text for text in raw.splits["test"]["text"].to_pylist())
