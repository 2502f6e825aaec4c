from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from espalier.model.bag import Bag
from espalier.model.encoding.ngrams import Ngrams
from espalier.model.encoding.words import Words
from model.examples import SENTENCES, batch_of, run_recipe, sentences

GIVEN: dict[str, Any] = {"embedding": 6, "dropout": 0.0}


def make(rows: list[int], *, words: bool = False, **changed: Any) -> tuple[Bag, dict[str, Any]]:
    torch.manual_seed(0)
    raw, facts = sentences(max_length=5)
    if words:
        encoding: Any = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    else:
        encoding = Ngrams(facts, buckets=40, longest=2, lowercase=True)
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    batch = batch_of(encoding.apply(raw.splits["train"]), facts.pad, rows)
    return Bag(facts, encoding=encoding, **{**GIVEN, **changed}), batch


def test_features_are_the_mean_without_padding() -> None:
    model, batch = make([1, 3, 0])
    weight: Any = model.trunk.weight
    for features, ids, mask in zip(model(batch), batch["text"], batch["text_mask"], strict=True):
        torch.testing.assert_close(features, weight[ids[mask]].mean(0))
    assert not batch["text_mask"].all() and model(batch).shape == (3, model.width)


def test_order_counts_only_within_an_ngram() -> None:
    model, batch = make([0])
    mixed = {"text": batch["text"].flip(1)}
    torch.testing.assert_close(model(batch), model(mixed))


def test_a_text_without_words_is_zeros() -> None:
    model, _ = make([0])
    assert torch.equal(model({"text": torch.tensor([[0, 0]])}), torch.zeros(1, 6))


def test_dropout_drops_in_training_only() -> None:
    model, batch = make([0, 1], dropout=0.5)
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), model(batch))


@pytest.mark.parametrize("words", [False, True])
def test_recipe_gives_the_same_features(words: bool, tmp_path: Path) -> None:
    model, batch = make([0, 1, 2, 3], words=words)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    names = run_recipe(model.recipe(), tmp_path)
    torch.testing.assert_close(names["features"](SENTENCES), model(batch))
    assert names["features"](names["rows"]).shape == (2, 6)
