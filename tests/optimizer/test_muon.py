from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.optimizer.muon import muon
from espalier.state import codec


def made(**changed: Any) -> tuple[nn.Linear, torch.optim.Optimizer]:
    torch.manual_seed(0)
    layer = nn.Linear(6, 4)
    groups = [
        {"params": [layer.weight], "matrix": True},
        {"params": [layer.bias], "matrix": False, "weight_decay": 0.0},
    ]
    return layer, muon(groups, **defaults_of("optimizer/muon", **changed))


def step(layer: nn.Linear, optimizer: torch.optim.Optimizer, times: int) -> None:
    for time in range(times):
        layer.weight.grad = torch.sin(layer.weight.detach() * (time + 2))
        layer.bias.grad = torch.cos(layer.bias.detach())
        optimizer.step()


def test_a_matrix_is_stepped_as_by_torchs_muon_a_vector_as_by_adamw() -> None:
    layer, ours = made(lr=0.01, weight_decay=0.1)
    other, _ = made()
    matrix = torch.optim.Muon([other.weight], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    vector = torch.optim.AdamW([other.bias], lr=0.01, weight_decay=0.0)
    step(layer, ours, 3)
    for time in range(3):
        other.weight.grad = torch.sin(other.weight.detach() * (time + 2))
        other.bias.grad = torch.cos(other.bias.detach())
        matrix.step()
        vector.step()
    assert torch.equal(layer.weight, other.weight)
    assert torch.equal(layer.bias, other.bias)


def test_a_schedule_moves_the_rate_of_both() -> None:
    layer, optimizer = made()
    before = [p.detach().clone() for p in layer.parameters()]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 0.0)
    step(layer, optimizer, 2)
    assert schedule.get_last_lr() == [0.0, 0.0]
    assert all(torch.equal(one, other) for one, other in zip(before, layer.parameters(), strict=True))


def test_it_goes_on_from_a_checkpoint_bit_for_bit() -> None:
    layer, optimizer = made()
    step(layer, optimizer, 2)
    saved = deepcopy(codec.decode(*codec.encode({"optimizer": optimizer.state_dict(), "layer": layer.state_dict()})))
    other, resumed = made()
    other.load_state_dict(saved["layer"])
    resumed.load_state_dict(saved["optimizer"])
    step(layer, optimizer, 2)
    step(other, resumed, 2)
    assert torch.equal(layer.weight, other.weight)
    assert torch.equal(layer.bias, other.bias)


def test_it_does_with_matrices_alone() -> None:
    layer = nn.Linear(3, 3, bias=False)
    optimizer = muon([{"params": [layer.weight], "matrix": True}], **defaults_of("optimizer/muon"))
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.eye(3)
    optimizer.step()
    assert not torch.equal(before, layer.weight)
