from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from conf.defaults import defaults_of
from espalier.adapter.lora import lora
from espalier.adapter.prefix import prefix
from espalier.adapter.prompt import prompt
from espalier.adapter.side import side
from espalier.batch.gather import Gather
from espalier.batch.packed import Packed
from espalier.core.columns import Ragged
from espalier.core.errors import ConfigError
from espalier.core.facts import DataFacts
from espalier.model.causal_lm import CausalLm
from espalier.model.encoding.chat import Chat
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.places import BY_PLACES
from model import checkpoints

FACTS = DataFacts({"text": "text"}, {}, {}, max_length=48)
LORA: dict[str, Any] = {"target": "attention", "rank": 2, "alpha": 4.0, "dropout": 0.0, "variant": "plain"}
FAMILIES = ("llama", "gpt2", "qwen")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def make(root: Path, family: str = "llama", facts: DataFacts = FACTS) -> CausalLm:
    """A tiny checkpoint of random weights, large enough to matter."""
    folder = root / family
    if not folder.exists():
        checkpoints.FAMILIES[family](folder)
        model = AutoModelForCausalLM.from_pretrained(folder)
        torch.manual_seed(1)
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.3)
        model.save_pretrained(folder)
    encoding = Chat(facts, **defaults_of("model/encoding/chat", source=str(folder), revision="main"))
    return CausalLm(facts, **defaults_of("model/causal_lm", encoding=encoding, source=str(folder))).eval()


def columns(lengths: list[int]) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    rows = [generator.integers(5, 90, length).tolist() for length in lengths]
    return {"row": np.arange(len(rows)), "text": Ragged.of(rows)}


def both(lengths: list[int], room: int = 20) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The same texts side by side, and behind each other."""
    rows = np.arange(len(lengths))
    made = columns(lengths)
    return Gather(made, {"text": 0})[rows, 1.0], Packed(made, {"text": 0}, room)[rows, 1.0]


def learned(model: Any) -> Any:
    torch.manual_seed(2)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_transformers(family: str, root: Path) -> None:
    model = make(root, family)
    batch, _ = both([7, 3, 12])
    other = AutoModelForCausalLM.from_pretrained(root / family).eval()
    with torch.inference_mode():
        mine = model.logits(model.states(batch))
        theirs = other(input_ids=batch["text"], attention_mask=batch["text_mask"].long()).logits
    torch.testing.assert_close(mine[batch["text_mask"]], theirs[batch["text_mask"]])
    assert mine.std() > 0.1


@pytest.mark.parametrize("attention", ["sdpa", "eager", BY_PLACES])
@pytest.mark.parametrize("family", FAMILIES)
def test_texts_of_one_row_do_not_see_each_other(family: str, attention: str, root: Path) -> None:
    model = make(root, family)
    model.trunk.set_attn_implementation(attention)  # type: ignore[operator]
    apart, together = both([7, 3, 12, 5, 1, 9])
    assert len(together["text"]) < len(apart["text"])
    with torch.inference_mode():
        alone, packed = model.states(apart), model.states(together)
    for row, length in enumerate([7, 3, 12, 5, 1, 9]):
        ids = apart["text"][row, :length]
        spots = [
            (r, c)
            for r in range(len(together["text"]))
            for c in range(together["text"].shape[1] - length + 1)
            if together["text:place"][r, c] == 0 and torch.equal(together["text"][r, c : c + length], ids)
        ]
        torch.testing.assert_close(
            packed[spots[0][0], spots[0][1] :][:length], alone[row, :length], atol=1e-5, rtol=1e-4
        )
    model.require_apart()
    model.require_causal()
    assert model.trunk.config._attn_implementation == attention  # type: ignore[union-attr]


@pytest.mark.parametrize("adapter", ["none", "lora", "prompt", "prefix"])
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_what_was_seen_need_not_be_seen_again(family: str, adapter: str, root: Path) -> None:
    model: Any = make(root, family)
    if adapter == "lora":
        model = learned(lora(model, FACTS, **LORA))
    if adapter in ("prompt", "prefix"):
        model = learned({"prompt": prompt, "prefix": prefix}[adapter](model, FACTS, tokens=3))
        assert model.context == model.positions - 3
    ids = both([9, 9])[0]["text"]
    with torch.inference_mode():
        whole = model.logits(model.states({"text": ids, "text_mask": torch.ones_like(ids, dtype=torch.bool)}))
        logits, past = model.next_logits(ids[:, :4])
        torch.testing.assert_close(logits, whole[:, 3], atol=1e-4, rtol=1e-3)
        for place in range(4, 9):
            logits, past = model.next_logits(ids[:, place : place + 1], past)
            torch.testing.assert_close(logits, whole[:, place], atol=1e-4, rtol=1e-3)


def test_a_text_s_vector_is_its_last_state(root: Path) -> None:
    model = make(root)
    batch, _ = both([7, 3])
    states = model.states(batch)
    torch.testing.assert_close(model(batch), torch.stack([states[0, 6], states[1, 2]]))


def test_as_it_came_it_does_not_know_what_was_learned(root: Path) -> None:
    model: Any = make(root)
    batch, _ = both([7, 3])
    before = model(batch)
    model = learned(lora(model, FACTS, **LORA))
    assert not torch.allclose(model(batch), before)
    fresh = model.untuned()
    torch.testing.assert_close(fresh(batch), before)
    assert not any(p.requires_grad for p in fresh.parameters()) and not fresh.training


def test_tied_weights_have_one_place_in_what_is_kept(root: Path) -> None:
    model = make(root, "gpt2")
    assert model.head.weight is model.trunk.wte.weight  # type: ignore[union-attr]
    assert sum(name.endswith(("wte.weight", "head.weight")) for name, _ in model.named_parameters()) == 1


def test_an_adapter_that_looks_ahead_is_refused(root: Path) -> None:
    made = make(root)
    torch.manual_seed(0)
    model: Any = side(made, FACTS, reduction=2)  # which begins with adding nothing
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ConfigError, match=r"adapter .*lets a token see what stands behind it"):
        model.require_causal()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_adapter_that_forgets_places_is_refused_where_texts_are_packed(root: Path) -> None:
    model: Any = learned(prompt(make(root), FACTS, tokens=3))
    model.require_causal()
    with pytest.raises(ConfigError, match=r"data.packing=true .*does not keep them apart. Set  data.packing=false"):
        model.require_apart()


@pytest.mark.parametrize(
    ("family", "said"), [("bert", "is a bert, which does not tell"), ("t5", "is a t5, which does")]
)
def test_what_is_no_causal_model_is_refused(family: str, said: str, root: Path) -> None:
    folder = root / family
    if not folder.exists():
        checkpoints.FAMILIES[family](folder)
    encoding = Chat(FACTS, **defaults_of("model/encoding/chat", source=str(folder), revision="main"))
    with pytest.raises(ConfigError, match=said):
        CausalLm(FACTS, **defaults_of("model/causal_lm", encoding=encoding, source=str(folder)))


def test_another_encoding_and_too_long_texts_are_refused(root: Path) -> None:
    make(root, "gpt2")
    source = str(root / "gpt2")
    with pytest.raises(ConfigError, match=r"not Pretrained's columns. Set  model/encoding=chat"):
        encoding = Pretrained(FACTS, source=source, revision="main")
        CausalLm(FACTS, **defaults_of("model/causal_lm", encoding=encoding, source=source))
    with pytest.raises(ConfigError, match=r"data.max_length=900 .*more than the 160 tokens .*Set data.max_length=160"):
        make(root, "gpt2", DataFacts({"text": "text"}, {}, {}, max_length=900))
