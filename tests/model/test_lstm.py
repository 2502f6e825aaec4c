from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from espalier.model.encoding.words import Words
from espalier.model.lstm import Lstm
from model.examples import batch_of, pairs, run_recipe, sentences

GIVEN: dict[str, Any] = {
    "embedding": 6,
    "embedding_std": 1.0,
    "hidden": 4,
    "layers": 1,
    "bidirectional": True,
    "pooling": "max",
    "dropout": 0.0,
    "word_dropout": 0.0,
}
each_pooling = pytest.mark.parametrize("pooling", ["max", "mean", "last"])


def make(rows: list[int], **changed: Any) -> tuple[Lstm, dict[str, Any]]:
    torch.manual_seed(0)
    raw, facts = sentences()
    encoding = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    batch = batch_of(encoding.apply(raw.splits["train"]), facts.pad, rows)
    return Lstm(facts, encoding=encoding, **{**GIVEN, **changed}), batch


@each_pooling
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_has_no_influence(pooling: str, bidirectional: bool) -> None:
    model, together = make([1, 3, 0], pooling=pooling, bidirectional=bidirectional)
    _, alone = make([1], pooling=pooling, bidirectional=bidirectional)
    assert together["text"].shape[1] > alone["text"].shape[1]
    torch.testing.assert_close(model(together)[0], model(alone)[0])
    assert model(together).shape == (3, model.width) == (3, 8 if bidirectional else 4)


def test_poolings_are_what_they_say() -> None:
    model, batch = make([1], bidirectional=False)
    states, _ = model.trunk.lstm(model.trunk.embedding(batch["text"]))  # type: ignore[operator]
    for pooling, expected in {"max": states.amax(1), "mean": states.mean(1), "last": states[:, -1]}.items():
        model.pooling = pooling  # type: ignore[assignment]
        torch.testing.assert_close(model(batch), expected)


def test_last_takes_each_direction_where_it_ends() -> None:
    model, batch = make([1], pooling="last", layers=2)
    states, _ = model.trunk.lstm(model.trunk.embedding(batch["text"]))  # type: ignore[operator]
    torch.testing.assert_close(model(batch)[0], torch.cat([states[0, -1, :4], states[0, 0, 4:]]))


@each_pooling
def test_trains_in_bf16(pooling: str) -> None:
    model, batch = make([0, 1, 2], pooling=pooling)
    with torch.autocast("cpu", torch.bfloat16):
        features = model(batch)
    features.float().square().sum().backward()
    assert features.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    torch.testing.assert_close(features.float(), model(batch), atol=0.02, rtol=0.05)


def test_dropout_drops_in_training_only() -> None:
    model, batch = make([0, 1], dropout=0.5, layers=2)
    assert not torch.equal(model(batch), model(batch))
    model.eval()
    assert torch.equal(model(batch), model(batch))


def test_offers_no_layer_to_adapters() -> None:
    assert not Lstm.targets


def test_saved_weights_load_into_plain_torch(tmp_path: Path) -> None:
    model, batch = make([2])
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    lstm = torch.nn.LSTM(6, 4, batch_first=True, bidirectional=True)
    lstm.load_state_dict({k.removeprefix("trunk.lstm."): v for k, v in state.items() if k.startswith("trunk.lstm.")})
    states, _ = lstm(state["trunk.embedding.weight"][batch["text"]])
    torch.testing.assert_close(states.amax(1), model(batch))
    assert (tmp_path / "tokenizer.json").exists()


def test_pairs_are_read(tmp_path: Path) -> None:
    raw, facts = pairs(["is it here", "a"], ["it is", "a b"])
    encoding = Words(facts, vocab_size=50, min_frequency=1, lowercase=True)
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    model = Lstm(facts, encoding=encoding, **GIVEN).eval()
    features = model(batch_of(encoding.apply(raw.splits["train"]), facts.pad, [0, 1]))
    encoding.save(tmp_path)
    model.save(tmp_path)
    plain = run_recipe(model.recipe(), tmp_path)["features"]
    torch.testing.assert_close(plain([("is it here", "it is"), ("a", "a b")]), features)


def test_dropped_words_are_read_as_unknown_ones_in_training_alone() -> None:
    model, batch = make([1, 3, 0], word_dropout=0.5)
    plain = model.eval()(batch)
    seen: list[torch.Tensor] = []
    trunk: Any = model.trunk
    trunk.embedding.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    torch.testing.assert_close(model(batch), plain)
    assert torch.equal(seen[-1], batch["text"])
    model.train()(batch)
    changed = seen[-1] != batch["text"]
    assert changed.any() and not changed[~batch["text_mask"]].any()
    assert (seen[-1][changed] == Words.unknown).all()
    torch.manual_seed(3)
    first = model(batch)
    torch.manual_seed(3)
    assert torch.equal(model(batch), first)


def test_embeddings_begin_as_far_from_zero_as_they_are_told_to() -> None:
    (wide, _), (narrow, _) = make([0]), make([0], embedding_std=0.1)
    first, second = (model.trunk.embedding.weight for model in (wide, narrow))  # type: ignore[union-attr]
    torch.testing.assert_close(second, first * 0.1)
    assert not second[0].any()  # padding
