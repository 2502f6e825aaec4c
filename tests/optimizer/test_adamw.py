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


def test_steps_are_those_of_the_formula() -> None:
    weight = nn.Parameter(torch.linspace(-1, 1, 6, dtype=torch.float64))
    lr, (b1, b2), eps, decay = 0.01, (0.8, 0.95), 1e-6, 0.1
    ours = adamw([weight], **defaults_of("optimizer/adamw", lr=lr, betas=[b1, b2], eps=eps, weight_decay=decay))
    w, m, v = weight.detach().clone(), torch.zeros(6), torch.zeros(6)
    for t in range(1, 6):
        weight.grad = torch.sin(weight.detach() * t)
        g = torch.sin(w * t)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = (1 - lr * decay) * w - lr * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + eps)
        ours.step()
    torch.testing.assert_close(weight.detach(), w, rtol=0, atol=1e-12)
