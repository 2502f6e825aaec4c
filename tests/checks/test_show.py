from __future__ import annotations

import json

import numpy as np
import pytest

from checks.examples import texts, vectors
from espalier.checks import show
from espalier.config.compose import compose


def test_first_rows_have_their_labels_in_words() -> None:
    raw = texts(train=[("a", 0), ("b", 1), ("c", 1)])
    assert show.head(raw, "train", 2) == [
        {"row": 10, "text": "a", "label": "bad"}, {"row": 11, "text": "b", "label": "good"},
    ]  # fmt: skip
    assert show.head(vectors(np.ones((2, 2), np.float32), [0, 1]), "train", 1)[0]["vector"] == [1.0, 1.0]


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.show(compose(["data=support_intents"]), rows=1, as_json=True) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["counts"]["train"]["kept"] == 1_274
    assert sum(record["classes"]["train"].values()) == 1_274
    assert [len(rows) for rows in record["rows"].values()] == [1, 1, 1]


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert show.show(compose(["data=support_intents"]), rows=3, as_json=False) == 0
    said = capsys.readouterr().out
    assert "1,274" in said and "cancel_order" in said and "train:" in said
