from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import PromptTuningConfig
from torch import nn

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
