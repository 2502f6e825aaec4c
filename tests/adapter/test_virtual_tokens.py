from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from peft import PromptTuningConfig
from torch import nn

from adapter.tiny import Tiny
from conf.defaults import defaults_of
from espalier.adapter.p_tuning import p_tuning
from espalier.adapter.prefix import prefix
from espalier.adapter.prompt import prompt
from espalier.adapter.virtual_tokens import put_before
from espalier.core.errors import ConfigError
from task.toy import facts_of, lstm, minilm

OPTIONS: dict[str, Callable[..., nn.Module]] = {"prompt": prompt, "p_tuning": p_tuning, "prefix": prefix}


@pytest.mark.parametrize("option", OPTIONS)
def test_padding_and_virtual_tokens_leave_each_text_its_own_vector(option: str) -> None:
    """Mean pooling is over the text's own tokens, however many were put before it."""
    backbone: Any = OPTIONS[option](minilm(), facts_of("text"), **defaults_of(f"adapter/{option}", tokens=3))
    ids = torch.tensor([[101, 2054, 102, 0, 0], [101, 2054, 2003, 2023, 102]])
    both = backbone({"text": ids, "text_mask": ids > 0})
    alone = backbone({"text": ids[:1, :3], "text_mask": ids[:1, :3] > 0})
    assert both.shape == (2, 384)
    torch.testing.assert_close(both[:1], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("option", OPTIONS)
def test_only_what_stands_before_learns(option: str) -> None:
    backbone = OPTIONS[option](minilm(), facts_of("text"), **defaults_of(f"adapter/{option}"))
    learned = [name for name, p in backbone.named_parameters() if p.requires_grad]
    assert learned and all(".prompt_encoder." in name for name in learned)
    assert not backbone.trunk.base_model.training


def test_a_model_that_reads_no_tokens_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"Lstm is no transformer that reads tokens\. Try adapter=full"):
        prompt(lstm(), facts_of("text"), tokens=2)


def test_positions_that_are_not_there_are_answered() -> None:
    facts = dataclasses.replace(facts_of("text"), max_length=500)
    config = PromptTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=20)
    with pytest.raises(ConfigError, match=r"more than the 512 positions of the model\. Set data\.max_length=492"):
        put_before(minilm(), config, facts, "prompt")


class Reader(nn.Module):
    """A backbone that is nothing but its trunk."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk


SIZE = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
NARROW: dict[str, Callable[[], nn.Module]] = {  # words of 8 features, or sizes by names of their own
    "albert": lambda: hf.AlbertModel(hf.AlbertConfig(**SIZE, embedding_size=8, intermediate_size=24)),
    "electra": lambda: hf.ElectraModel(hf.ElectraConfig(**SIZE, embedding_size=8, intermediate_size=24)),
    "opt": lambda: hf.OPTModel(hf.OPTConfig(**SIZE, ffn_dim=24, word_embed_proj_dim=8)),
    "mpt": lambda: hf.MptModel(hf.MptConfig(vocab_size=50, d_model=16, n_heads=2, n_layers=2)),
    "mamba": lambda: hf.MambaModel(hf.MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, state_size=4)),
}


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "gpt2", "llama", "qwen", "t5"])
@pytest.mark.parametrize("option", ["prompt", "p_tuning"])
def test_it_fits_each_preset(option: str, family: str, tiny: Tiny) -> None:
    model, batch = tiny(family)
    backbone = OPTIONS[option](model, facts_of("text"), **defaults_of(f"adapter/{option}", tokens=3))
    backbone(batch).sum().backward()
    assert all(p.grad is not None for p in backbone.parameters() if p.requires_grad)


@pytest.mark.parametrize("option", ["prompt", "p_tuning"])
@pytest.mark.parametrize("family", NARROW)
def test_it_is_as_wide_as_the_words_are(family: str, option: str) -> None:
    backbone: Any = Reader(NARROW[family]())
    words = backbone.trunk.get_input_embeddings().weight.shape[1]
    OPTIONS[option](backbone, facts_of("text"), **defaults_of(f"adapter/{option}", tokens=3))
    assert backbone.trunk.get_prompt(1).shape == (1, 3, words)


def test_heads_are_counted_by_whatever_name_they_go() -> None:
    backbone: Any = Reader(NARROW["mpt"]())
    assert [p.shape for p in prefix(backbone, facts_of("text"), tokens=3).parameters() if p.requires_grad] == [(3, 64)]


def test_what_does_not_fit_a_models_attention_is_answered() -> None:
    falcon = hf.FalconModel(hf.FalconConfig(**SIZE, multi_query=True, new_decoder_architecture=False))
    with pytest.raises(ConfigError, match=r"does not fit a FalconModel as PEFT has it: Sizes .*Try adapter=prompt"):
        prefix(Reader(falcon), facts_of("text"), tokens=3)
    config = hf.Mamba2Config(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_heads=4, head_dim=8, n_groups=1)
    with pytest.raises(ConfigError, match=r"it does not read what is put before\. Try adapter=prompt"):
        prefix(Reader(hf.Mamba2Model(config)), facts_of("text"), tokens=3)
