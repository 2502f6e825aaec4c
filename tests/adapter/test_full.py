from __future__ import annotations

import pytest
from torch import nn

from conf.defaults import defaults_of
from espalier.adapter.full import full
from espalier.core.errors import ConfigError
from task.toy import facts_of, minilm


def test_all_of_it_learns_with_its_dropout() -> None:
    backbone = minilm(dropout=0.2).eval()  # as from_pretrained gives a model
    adapted = full(backbone, facts_of("text"), **defaults_of("adapter/full"))
    assert adapted is backbone
    assert all(parameter.requires_grad for parameter in adapted.parameters())
    dropouts = [module for module in adapted.modules() if isinstance(module, nn.Dropout)]
    assert dropouts and all(module.training and module.p == 0.2 for module in dropouts)


def test_quantised_weights_do_not_learn() -> None:
    backbone = nn.Linear(2, 2)
    backbone.quantize = "4bit"  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"adapter=full .*model.quantize=4bit.*adapter=lora"):
        full(backbone, facts_of("text"))
