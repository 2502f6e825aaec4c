from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from espalier.core.facts import Counts, DataFacts, Raw
from espalier.model.encoding.characters import Characters
from espalier.task.bigrams import Bigrams, bigram_baseline
from espalier.task.language_modelling import LanguageModelling

BEFORE, TOKEN = np.array([0, 1, 0, 1, 0, 2]), np.array([1, 0, 1, 2, 3, 0])


def test_probabilities_sum_to_one_and_are_the_formula() -> None:
    counted = Bigrams(BEFORE, TOKEN, 5)
    for before in range(5):
        assert counted.probability(np.full(5, before), np.arange(5)).sum() == pytest.approx(1)
    alone = (np.array([2, 2, 1, 1, 0]) + 1) / 11
    assert counted.probability(np.array([0]), np.array([1])) == pytest.approx((2 + 2 * alone[1]) / (3 + 2))
    assert counted.probability(np.array([4]), np.array([1])) == pytest.approx(alone[1])
    assert counted.likeliest(np.array([0, 1, 2, 4])).tolist() == [1, 0, 0, 0]


def test_baseline_is_measured_on_the_blocks() -> None:
    splits = {
        split: pa.table({"row": np.arange(2), "text": texts, "document": np.zeros(2, np.int64)})
        for split, texts in {"train": ["abab", "ac"], "validation": ["aba", "bz"]}.items()
    }
    counts = {split: Counts(2, 2) for split in splits}
    raw = Raw(splits, {"text": "text", "document": "id"}, {}, counts, "", "here")
    encoding = Characters(DataFacts.of(raw, max_length=3), keep="end")
    encoding.fit(raw)
    found = bigram_baseline(raw, "validation", encoding, "text", LanguageModelling.counted, 50)
    assert found.metrics["perplexity"] == pytest.approx(np.exp(found.metrics["loss"]))
    assert found.metrics["accuracy"] == pytest.approx(3 / 4)  # "abab" as often in training; "z" is unknown to it
    assert [sum(c) for c in zip(*found.predictions["counts:accuracy"], strict=True)] == [3, 4]
    assert found.predictions["row"].tolist() == [0, 1] and set(found.intervals) == set(found.metrics)
