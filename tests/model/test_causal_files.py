from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModelForCausalLM, PeftModel
from transformers import AutoModelForCausalLM

from conf.defaults import defaults_of
from espalier.adapter.adalora import adalora
from espalier.adapter.bottleneck import bottleneck
from espalier.adapter.full import full
from espalier.adapter.layers import layers
from espalier.adapter.lora import lora
from espalier.adapter.prefix import prefix
from espalier.adapter.prompt import prompt
from model.examples import run_recipe
from model.test_causal_lm import FACTS, LORA, both, learned, make, root

__all__ = ["root"]  # the fixture
ADAPTERS: dict[str, Any] = {
    "full": full, "layers": lambda model, facts: layers(model, facts, top=1),
    "lora": lambda model, facts: lora(model, facts, **LORA),
    "dora": lambda model, facts: lora(model, facts, **{**LORA, "variant": "weight_decomposed", "target": "all_linear"}),
    "adalora": lambda model, facts: adalora(model, facts.learn(total_steps=9), **defaults_of("adapter/adalora")),
    "bottleneck": lambda model, facts: bottleneck(model, facts, **defaults_of("adapter/bottleneck")),
    "prompt": lambda model, facts: prompt(model, facts, tokens=3),
    "prefix": lambda model, facts: prefix(model, facts, tokens=3),
}  # fmt: skip


def scores(model: Any) -> torch.Tensor:
    ids = both([9, 9])[0]["text"]
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[:, -9:]
    return found


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_readme_s_lines_give_the_same_scores(family: str, adapter: str, root: Path, tmp_path: Path) -> None:
    model: Any = make(root, family)
    before = scores(AutoModelForCausalLM.from_pretrained(root / family).eval())
    model = learned(ADAPTERS[adapter](model, FACTS))
    batch, _ = both([9, 9])
    with torch.inference_mode():
        wanted = model.logits(model.states(batch))
    assert not torch.allclose(wanted, before, atol=1e-3)
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    loaded = run_recipe(model.loading(), tmp_path)["model"]
    torch.testing.assert_close(scores(loaded), wanted, atol=1e-4, rtol=1e-3)


def test_the_readme_s_lines_take_a_base_that_lies_in_bf16_as_the_run_did(root: Path, tmp_path: Path) -> None:
    make(root)
    base = tmp_path / "llama"
    shutil.copytree(root / "llama", base)
    AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).save_pretrained(base)
    model: Any = learned(lora(make(tmp_path), FACTS, **LORA))
    model.encoding.save(tmp_path)
    model.save(tmp_path)
    with torch.inference_mode():
        wanted = model.logits(model.states(both([9, 9])[0]))
    loaded = run_recipe(model.loading(), tmp_path)["model"]
    torch.testing.assert_close(scores(loaded), wanted, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("adapter", ["lora", "adalora", "prompt"])
def test_peft_s_are_a_language_model_s(adapter: str, root: Path, tmp_path: Path) -> None:
    model: Any = learned(ADAPTERS[adapter](make(root), FACTS))
    model.save(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["task_type"] == "CAUSAL_LM" and config["base_model_name_or_path"] == str(root / "llama")
    with torch.inference_mode():
        wanted = model.logits(model.states(both([9, 9])[0]))
    found = AutoPeftModelForCausalLM.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(scores(found), wanted, atol=1e-4, rtol=1e-3)
    base = AutoModelForCausalLM.from_pretrained(root / "llama")
    again = PeftModel.from_pretrained(base, str(tmp_path)).eval()
    torch.testing.assert_close(scores(again), wanted, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("family", "name"), [("llama", "v_proj"), ("gpt2", "c_attn")])
def test_layers_that_were_named_one_by_one_are_found_again(family: str, name: str, root: Path, tmp_path: Path) -> None:
    model: Any = learned(lora(make(root, family), FACTS, **{**LORA, "target": [name]}))
    model.save(tmp_path)
    with torch.inference_mode():
        wanted = model.logits(model.states(both([9, 9])[0]))
    found = AutoPeftModelForCausalLM.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(scores(found), wanted, atol=1e-4, rtol=1e-3)
