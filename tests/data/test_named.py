from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.examples import COMMON, TEXT
from espalier.core.errors import DataError
from espalier.data import named
from espalier.data.common import Source
from espalier.data.finance import Finance
from espalier.data.imdb import Imdb


class Feature:
    def __init__(self, *names: str) -> None:
        self.names = list(names)


class Rows(dict[str, list[Any]]):
    """A split as ``datasets`` gives it: columns, and what they are."""

    features: dict[str, Any]


def test_a_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    assert named.local_folder("imdb") is None
    (tmp_path / "imdb").mkdir()
    assert named.local_folder("imdb") == tmp_path / "imdb"
    monkeypatch.delenv("ESPALIER_DATA")
    assert named.local_folder("imdb") is None


def test_rows_of_the_hub_are_called_as_it_calls_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def from_hub(*words: str | None) -> dict[str, Rows]:
        asked.append(words)
        rows = Rows(text=["a", "b"], label=[1, 0])
        rows.features = {"text": None, "label": Feature("neg", "pos")}
        return {"train": rows, "test": rows}

    monkeypatch.delenv("ESPALIER_DATA", raising=False)
    monkeypatch.setattr(named, "from_hub", from_hub)
    source = Imdb(columns=TEXT, **COMMON).tables()
    assert asked == [("imdb", "stanfordnlp/imdb", "e6281661ce1c48d982bc483cf8a173c1bbeb5d31", None)]
    assert source.splits["train"] == {"text": ["a", "b"], "label": ["positive", "negative"]}
    assert source.origin == "hub stanfordnlp/imdb @e628166"


def test_a_set_that_the_hub_lacks_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"financial_phrasebank.* Set ESPALIER_DATA"):
        Finance(columns=TEXT, **COMMON).read()


def test_labels_without_a_word_stay() -> None:
    source = Source({"train": {"text": ["a", "b"], "label": [0, 7]}}, "here")
    assert named.in_words(source, {"0": "bad"}).splits["train"]["label"] == ["bad", "7"]
