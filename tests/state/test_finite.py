from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from espalier.state.finite import not_finite


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.frozen = nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False)
        self.small = nn.Parameter(torch.full((3000,), 1000.0, dtype=torch.float16))  # whose sum is beyond float16
        self.turns = nn.Parameter(torch.ones(2, dtype=torch.complex64))
        self.register_buffer("mask", torch.full((2,), -math.inf))


@pytest.fixture
def trainer() -> Any:
    net = Net()
    optimizer = torch.optim.Adam([net.first.weight, net.first.bias], lr=0.1)
    net.first(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return SimpleNamespace(lightning_module=net, optimizers=[optimizer])


def test_all_is_finite(trainer: Any) -> None:
    assert not_finite(trainer) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_learns_is_named(trainer: Any, value: float) -> None:
    with torch.no_grad():
        trainer.lightning_module.first.bias[1] = value
    assert not_finite(trainer) == "first.bias"


def test_infinities_that_add_up_to_nothing(trainer: Any) -> None:
    with torch.no_grad():
        trainer.lightning_module.first.bias.copy_(torch.tensor([math.inf, -math.inf]))
    assert not_finite(trainer) == "first.bias"


def test_what_an_optimizer_knows_is_named(trainer: Any) -> None:
    trainer.optimizers[0].state[trainer.lightning_module.first.weight]["exp_avg_sq"][0, 0] = math.inf
    assert not_finite(trainer) == "exp_avg_sq of first.weight"


def test_complex_weights(trainer: Any) -> None:
    trainer.lightning_module.turns.data[0] = complex(0, math.nan)
    assert not_finite(trainer) == "turns"


def test_frozen_weights_may_be_anything(trainer: Any) -> None:
    trainer.lightning_module.frozen.weight[0, 0] = -math.inf
    assert not_finite(trainer) == ""


def test_large_weights_whose_sum_is_infinite_are_finite(trainer: Any) -> None:
    trainer.lightning_module.first.weight.data.fill_(torch.finfo(torch.float32).max)
    assert not_finite(trainer) == ""
