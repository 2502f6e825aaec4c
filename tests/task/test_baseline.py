from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from espalier.core.facts import Raw
from espalier.task import baseline
from espalier.task.baseline import guesses
from task.toy import classification, lstm

TOPICS = ("money back for the coat", "parcel lost on the way", "cannot log in")


def texts(rows: int, labels: Any = None) -> Raw:
    label = np.arange(rows) % 3 if labels is None else np.asarray(labels)
    columns = {"row": np.arange(rows), "text": [f"{TOPICS[i]} number {n}" for n, i in enumerate(label)], "label": label}
    split = pa.table(columns)
    return Raw({"train": split, "test": split.slice(0, 9)}, {"text": "text", "label": "label"}, {}, {}, "", "toy")


def test_a_bag_of_words_tells_topics_apart() -> None:
    found = guesses(texts(60), "test", 3)
    assert found.name == "logistic regression on words"
    assert found.scores.argmax(1).tolist() == [0, 1, 2] * 3
    np.testing.assert_allclose(found.scores.sum(1), 1)


def test_it_looks_at_so_many_rows_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "_ROWS", 30)
    assert guesses(texts(60), "test", 3).name == "logistic regression on words (of 30 training rows)"


def test_a_class_that_training_lacks_gets_no_probability() -> None:
    found = guesses(texts(40, [0, 2] * 20), "test", 3)
    assert found.scores.shape == (9, 3) and not found.scores[:, 1].any()


def test_images_get_the_most_frequent_class() -> None:
    label = np.array([0, 1, 1, 1])
    split = pa.table({"row": np.arange(4), "image": [[0], [1], [2], [3]], "label": label})
    raw = Raw({"train": split, "test": split}, {"image": "image", "label": "label"}, {}, {}, "", "toy")
    found = guesses(raw, "test", 2)
    assert found.name == "most frequent class" and found.scores[0].tolist() == [0.25, 0.75]


def test_pairs_are_read_as_one() -> None:
    raw = texts(60)
    asked = {
        split: t.append_column("text_pair", t["text"]).set_column(1, "text", pa.array(["same"] * len(t)))
        for split, t in raw.splits.items()
    }
    found = guesses(Raw(asked, {"text": "text", "text_pair": "text"}, {}, {}, "", "toy"), "test", 3)
    assert found.scores.argmax(1).tolist() == [0, 1, 2] * 3


def test_a_classifier_gives_it_the_metrics_of_its_own_test() -> None:
    found = classification(lstm(), bootstrap=20).baseline(texts(60), "test")
    assert found.metrics["accuracy"] == 1 and found.intervals["accuracy"] == pytest.approx((0.701, 1), abs=0.001)
    assert 0 < found.metrics["loss"] < 1
    assert found.predictions["prediction"].tolist() == found.predictions["target"].tolist() == [0, 1, 2] * 3
