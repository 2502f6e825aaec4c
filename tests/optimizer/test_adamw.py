from __future__ import annotations

import torch
from conf.defaults import defaults_of
from espalier.optimizer.adamw import adamw
from torch import nn


def test_the_options_values_are_torchs_own_defaults() -> None:
    made = adamw(nn.Linear(2, 2).parameters(), **defaults_of("optimizer/adamw"))
    plain = torch.optim.AdamW(nn.Linear(2, 2).parameters())
    assert {k: v for k, v in made.defaults.items() if k != "fused"} == {
        k: v for k, v in plain.defaults.items() if k != "fused"
    }


def test_steps_are_those_of_the_unfused_form() -> None:
    weights = [nn.Parameter(torch.linspace(-1, 1, 40).reshape(8, 5)) for _ in range(2)]
    values = defaults_of("optimizer/adamw", lr=0.01, weight_decay=0.1)
    ours = adamw([weights[0]], **values)
    plain = torch.optim.AdamW([weights[1]], lr=0.01, weight_decay=0.1, foreach=False, fused=False)
    for step in range(20):
        for weight, optimizer in zip(weights, (ours, plain), strict=True):
            weight.grad = torch.sin(weight.detach() * (step + 1))
            optimizer.step()
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-6)
