from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import nn
from transformers import BitsAndBytesConfig

from conf.defaults import defaults_of
from espalier.adapter.lora import lora
from espalier.core.errors import ConfigError
from espalier.model.quantized import Bits, as_code, bits_of, loading
from espalier.task.classification import Classification
from task.toy import facts_of, minilm, sgd

BATCH = {
    "text": torch.tensor([[101, 2073, 2003, 2026, 2344, 102], [101, 25416, 8630, 102, 0, 0]]),
    "text_mask": torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]).bool(),
    "label": torch.tensor([0, 1]),
    "scale": 1.0,
}
each = pytest.mark.parametrize("bits", ["4bit", "8bit"])


@pytest.fixture
def bitsandbytes() -> None:
    pytest.importorskip("bitsandbytes", reason="needs the extra espalier[gpu]")


def task(bits: Bits) -> Any:
    facts = facts_of("text")
    adapted = lora(minilm(dropout=0.0, quantize=bits), facts, **defaults_of("adapter/lora", dropout=0.0))
    torch.manual_seed(0)
    return Classification(adapted, facts, sgd, **defaults_of("task/classification"))


@each
def test_features_are_nearly_those_of_whole_weights(bitsandbytes: None, bits: Bits) -> None:
    made, plain = minilm(dropout=0.0, quantize=bits), minilm(dropout=0.0)
    with torch.no_grad():
        near = nn.functional.cosine_similarity(made(BATCH), plain(BATCH))
    assert (near > {"4bit": 0.9, "8bit": 0.99}[bits]).all() and (near < 1).all()
    dense = made.trunk.encoder.layer[0].attention.self.query
    assert dense.weight.element_size() == 1 and dense.weight.numel() <= 384 * 384
    assert bits_of(made.trunk) == bits and bits_of(plain.trunk) is None


@each
def test_an_adapter_learns_beside_them_and_a_checkpoint_holds_it_alone(bitsandbytes: None, bits: Bits) -> None:
    learner = task(bits)
    optimizer = torch.optim.AdamW([p for p in learner.parameters() if p.requires_grad], 0.01)
    losses = []
    for _ in range(6):
        loss = learner.loss(learner(BATCH), BATCH["label"])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    saved = {"state_dict": learner.state_dict()}
    learner.on_save_checkpoint(saved)
    assert set(saved["state_dict"]) == {name for name, p in learner.named_parameters() if p.requires_grad}
    other = task(bits)
    other.load_state_dict(saved["state_dict"], strict=False)
    with torch.no_grad():
        torch.testing.assert_close(other(BATCH), learner(BATCH))


@each
def test_the_recipe_loads_the_base_in_as_few_bits(bitsandbytes: None, bits: Bits) -> None:
    lines = task(bits).learner.recipe()
    assert as_code(bits) in lines and "BitsAndBytesConfig" in lines and ".float()" not in lines
    compile(lines, "recipe", "exec")


@each
def test_the_code_makes_what_is_loaded_with(bitsandbytes: None, bits: Bits) -> None:
    made = eval(as_code(bits).removeprefix("quantization_config="), {"BitsAndBytesConfig": BitsAndBytesConfig})
    assert made.to_dict() == loading(bits)["quantization_config"].to_dict()


def test_without_the_package_it_names_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ConfigError, match=r"model.quantize=4bit +needs bitsandbytes.*pip install 'espalier\[gpu\]'"):
        loading("4bit")
