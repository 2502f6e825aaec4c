from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from conf.defaults import defaults_of
from espalier.adapter.lora import lora
from espalier.core.errors import ConfigError
from espalier.model.encoding.characters import Characters
from espalier.model.gpt import Attention, Gpt
from model.examples import batch_of, pairs, run_recipe, sentences

CONTEXT = 24
SMALL: dict[str, Any] = {"layers": 2, "heads": 2, "width": 8, "dropout": 0.0}


def make(**changed: Any) -> tuple[Gpt, dict[str, Any]]:
    """A small model, its weights large enough to matter, and a batch of all sentences."""
    torch.manual_seed(0)
    raw, facts = sentences(max_length=CONTEXT)
    encoding = Characters(facts, keep="end")
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    model = Gpt(facts, **defaults_of("model/gpt", encoding=encoding, **{**SMALL, **changed}))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval(), batch_of(encoding.apply(raw.splits["train"]), facts.pad, [0, 1, 2, 3])


def twin(model: Gpt, folder: Path) -> GPT2LMHeadModel:
    """As plain transformers loads what was saved."""
    model.encoding.save(folder)
    model.save(folder)
    loaded: GPT2LMHeadModel = AutoModelForCausalLM.from_pretrained(folder).eval()
    return loaded


@pytest.mark.parametrize("tied", [True, False])
def test_outputs_are_those_of_transformers_gpt2(tied: bool, tmp_path: Path) -> None:
    model, batch = make(tied=tied)
    other = twin(model, tmp_path)
    assert isinstance(other, GPT2LMHeadModel)
    given = {"input_ids": batch["text"], "attention_mask": batch["text_mask"].long()}
    with torch.inference_mode():
        mine, theirs = model.logits(model.states(batch, "text")), other(**given).logits
    mask = batch["text_mask"]
    torch.testing.assert_close(mine[mask], theirs[mask], atol=1e-5, rtol=1e-4)
    assert mine[mask].std() > 0.1


def test_gradients_are_those_of_transformers_gpt2(tmp_path: Path) -> None:
    model, batch = make()
    other = twin(model, tmp_path)
    ids = batch["text"][:, : int(batch["text_mask"].sum(1).min())]
    torch.nn.functional.cross_entropy(
        model.logits(model.states({"text": ids}, "text"))[:, :-1].flatten(0, 1), ids[:, 1:].flatten()
    ).backward()
    other(input_ids=ids, labels=ids).loss.backward()
    theirs = dict(other.named_parameters())
    for name, parameter in model.trunk.named_parameters():
        gradient = theirs[f"transformer.{name}"].grad
        assert gradient is not None and parameter.grad is not None
        turned = gradient.T if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")) else gradient
        torch.testing.assert_close(parameter.grad, turned, atol=1e-5, rtol=1e-3)


def test_attention_is_the_formula() -> None:
    torch.manual_seed(0)
    attention, states = Attention(0, heads=3, width=12, dropout=0.0).eval(), torch.randn(2, 5, 12)
    queries, keys, values = attention.c_attn(states).chunk(3, -1)
    heads = []
    for q, k, v in zip(queries.split(4, -1), keys.split(4, -1), values.split(4, -1), strict=True):
        scores = q @ k.transpose(1, 2) / 4**0.5
        later = torch.ones(5, 5).triu(1).bool()
        heads.append(scores.masked_fill(later, float("-inf")).softmax(-1) @ v)
    torch.testing.assert_close(attention(states, None), attention.c_proj(torch.cat(heads, -1)))


def test_nothing_later_has_influence() -> None:
    model, batch = make()
    changed = batch["text"].clone()
    changed[:, 5:] = 2
    before, after = (model.states({"text": ids}, "text") for ids in (batch["text"], changed))
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_what_was_seen_need_not_be_seen_again() -> None:
    model, batch = make()
    ids = batch["text"][:, :9]
    whole = model.logits(model.states({"text": ids}, "text"))
    logits, past = model.next_logits(ids[:, :4])
    torch.testing.assert_close(logits, whole[:, 3])
    for place in range(4, 9):
        logits, past = model.next_logits(ids[:, place : place + 1], past)
        torch.testing.assert_close(logits, whole[:, place])
    assert len(past) == 9


def test_a_text_s_vector_is_its_last_state(tmp_path: Path) -> None:
    model, batch = make()
    features = model(batch)
    states = model.states(batch, "text")
    lengths = batch["text_mask"].sum(1)
    torch.testing.assert_close(features, torch.stack([states[i, n - 1] for i, n in enumerate(lengths)]))
    twin(model, tmp_path)
    texts = [
        model.encoding.decode(row[seen].tolist()) for row, seen in zip(batch["text"], batch["text_mask"], strict=True)
    ]  # type: ignore[attr-defined]
    torch.testing.assert_close(run_recipe(model.recipe(), tmp_path)["features"](texts), features, atol=1e-5, rtol=1e-4)


def test_a_pair_s_vector_is_of_both_texts(tmp_path: Path) -> None:
    raw, facts = pairs(
        ["A dog!", "A dog!", "cats and DOGS"], ["barks", "sleeps", "and birds, and all of them"], max_length=CONTEXT
    )
    encoding = Characters(facts, keep="end")
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    torch.manual_seed(0)
    model = Gpt(facts, **defaults_of("model/gpt", encoding=encoding, **SMALL)).eval()
    features = model(batch_of(encoding.apply(raw.splits["train"]), facts.pad, [0, 1, 2]))
    assert not torch.allclose(features[0], features[1], atol=1e-3)
    twin(model, tmp_path)
    rows = [
        [*row] for row in zip(*(raw.splits["train"][role].to_pylist() for role in ("text", "text_pair")), strict=True)
    ]
    names = run_recipe(model.recipe(), tmp_path)
    torch.testing.assert_close(names["features"](rows), features, atol=1e-5, rtol=1e-4)
    assert len(names["features"](names["rows"])) == 2


def test_weights_begin_as_gpt2_s() -> None:
    _, facts = sentences(max_length=CONTEXT)
    encoding = Characters(facts, keep="end")
    torch.manual_seed(0)
    values = defaults_of("model/gpt", encoding=encoding, layers=8, heads=2, width=64, tied=False)
    model = Gpt(facts.learn(vocab_size=500), **values)
    for name, parameter in model.named_parameters():
        wanted = 0.02 / 4 if name.endswith("c_proj.weight") else 0.02
        if parameter.ndim > 1:
            assert float(parameter.detach().std()) == pytest.approx(wanted, rel=0.05), name


def test_dropout_drops_in_training_only() -> None:
    model, batch = make(dropout=0.5)
    torch.testing.assert_close(model(batch), model(batch))
    model.train()
    assert not torch.allclose(model(batch), model(batch))


def test_trains_in_bf16() -> None:
    model, batch = make()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model.logits(model.states(batch, "text"))
    logits.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_lora_s_update_is_saved_within_the_weights(tmp_path: Path) -> None:
    model, batch = make()
    before = model(batch)
    adapted: Any = lora(model, sentences()[1], target="attention", rank=2, alpha=4.0, dropout=0.0, variant="plain")
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter)
    adapted.eval()
    after = adapted.logits(adapted.states(batch, "text"))
    assert not torch.allclose(adapted(batch), before)
    other = twin(adapted, tmp_path)
    mask = batch["text_mask"]
    found = other(input_ids=batch["text"], attention_mask=mask.long()).logits
    torch.testing.assert_close(found[mask], after[mask], atol=1e-4, rtol=1e-3)
    assert hasattr(adapted.trunk, "peft_config")


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"model.width=10 .*does not divide into 4 heads. Set model.width=8"):
        make(width=10, heads=4)
    _, facts = sentences()
    encoding = Characters(facts, keep="end")
    with pytest.raises(ConfigError, match=r"data.max_length=null"):
        Gpt(facts, **defaults_of("model/gpt", encoding=encoding, **SMALL))
