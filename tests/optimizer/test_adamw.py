from __future__ import annotations

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.optimizer.adamw import adamw


def test_the_options_values_arrive() -> None:
    values = defaults_of("optimizer/adamw")
    made = adamw(nn.Linear(2, 2).parameters(), **values)
    assert made.defaults["betas"] == tuple(values["betas"])
    assert {key: made.defaults[key] for key in ("lr", "eps", "weight_decay")}.items() <= values.items()


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
