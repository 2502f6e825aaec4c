from __future__ import annotations

from typing import Any

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.adapter.ia3 import ia3
from task.toy import facts_of, minilm, mlp


def adapted(backbone: nn.Module, **values: Any) -> nn.Module:
    return ia3(backbone, facts_of("text"), **defaults_of("adapter/ia3", **values))


def test_one_factor_for_each_output() -> None:
    trained = {name: p.numel() for name, p in adapted(minilm()).named_parameters() if p.requires_grad}
    assert sum(trained.values()) == 6 * (4 * 384 + 1536 + 384)
    assert all("ia3_l" in name for name in trained)


def test_at_first_it_changes_nothing_and_then_by_its_factors() -> None:
    backbone = mlp(hidden=[7])
    images = {"image": torch.randint(0, 256, (3, 1, 4, 4), dtype=torch.uint8)}
    plain = backbone(images)
    module = adapted(backbone, target="mlp")
    torch.testing.assert_close(module(images), plain)
    weight, bias = (p for name, p in module.named_parameters() if "base_layer" in name)
    factors = next(p for p in module.parameters() if p.requires_grad)
    with torch.no_grad():
        factors.fill_(2)
    first = backbone.trunk.base_model.model[0]
    inputs = torch.randn(3, 16)
    torch.testing.assert_close(first(inputs), 2 * (inputs @ weight.T + bias))


def test_merged_it_says_the_same() -> None:
    module: Any = adapted(mlp(hidden=[7]), target="mlp").eval()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                parameter.uniform_(0.5, 2)
    inputs = torch.randn(3, 16)
    before = module.trunk(inputs)
    torch.testing.assert_close(module.trunk.merge_and_unload()(inputs), before, atol=1e-5, rtol=0)
