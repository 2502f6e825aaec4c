from __future__ import annotations

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.optimizer.adam import adam


def test_steps_are_those_of_the_unfused_form() -> None:
    weights = [nn.Parameter(torch.linspace(-1, 1, 40).reshape(8, 5)) for _ in range(2)]
    ours = adam([weights[0]], **defaults_of("optimizer/adam", lr=0.01, weight_decay=0.1))
    plain = torch.optim.Adam([weights[1]], lr=0.01, weight_decay=0.1, foreach=False, fused=False)
    for step in range(20):
        for weight, optimizer in zip(weights, (ours, plain), strict=True):
            weight.grad = torch.sin(weight.detach() * (step + 1))
            optimizer.step()
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=1e-6)
