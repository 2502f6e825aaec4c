from __future__ import annotations

import pytest
from torch import nn

from espalier.adapter.bitfit import bitfit
from espalier.core.errors import ConfigError
from task.toy import facts_of, lstm, minilm

WIDTH, INNER, LAYERS = 384, 1536, 6


def test_every_bias_learns_and_nothing_else() -> None:
    backbone = bitfit(minilm(), facts_of("text"))
    trained = {name: p.numel() for name, p in backbone.named_parameters() if p.requires_grad}
    assert all(name.endswith("bias") for name in trained)
    in_a_layer = 4 * WIDTH + INNER + WIDTH + 2 * WIDTH  # attention, the two dense layers, the two norms
    assert sum(trained.values()) == LAYERS * in_a_layer + WIDTH
    assert all(module.training for module in backbone.modules())


def test_an_lstm_has_two_biases_in_each_direction() -> None:
    trained = [name for name, p in bitfit(lstm(), facts_of("text")).named_parameters() if p.requires_grad]
    assert trained and all("bias_ih" in name or "bias_hh" in name for name in trained)


def test_a_model_without_biases_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"Linear has no biases to train\. Try adapter=lora"):
        bitfit(nn.Linear(2, 2, bias=False), facts_of("text"))
