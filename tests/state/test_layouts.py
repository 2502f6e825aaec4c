from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from espalier.state import folder
from espalier.state.layouts import as_parameters
from state.harness import Net, SaveAt, difference, fit, traces


def test_a_fused_step_with_restored_state_is_that_with_the_state_it_had() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last))
    whole = torch.optim.AdamW([weight], 0.1, fused=True)
    step(whole, weight)
    state = copy.deepcopy(whole.state_dict())
    for kept in state["state"].values():
        kept.update({name: kept[name].contiguous() for name in ("exp_avg", "exp_avg_sq")})
    other = nn.Parameter(weight.detach().clone())
    restored = torch.optim.AdamW([other], 0.1, fused=True)
    restored.load_state_dict(state)
    as_parameters(restored)
    for optimizer, parameter in ((whole, weight), (restored, other)):
        step(optimizer, parameter)
    assert torch.equal(weight, other)


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), lambda p: torch.optim.Adam(p, 0.1)])
def test_what_is_laid_out_well_stays_the_same_tensor(make) -> None:
    weight = nn.Parameter(torch.randn(2, 3))
    optimizer = make([weight])
    step(optimizer, weight)
    before = dict(optimizer.state[weight])
    as_parameters(optimizer)
    assert all(optimizer.state[weight][name] is value for name, value in before.items())


class Pictures(Net):
    """A convolution whose weights stand channels last, and a fused optimizer."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Unflatten(1, (3, 1, 1)), nn.Conv2d(3, 4, 3, padding=1), nn.Dropout(0.5), nn.Flatten()]
        self.net = nn.Sequential(*layers, nn.Linear(4, 1)).to(memory_format=torch.channels_last)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), 0.05, fused=True)


def test_a_run_of_channels_last_weights_resumes_exactly(tmp_path: Path) -> None:
    want = traces(fit(tmp_path / "whole", module=Pictures), tmp_path / "whole")
    run = tmp_path / "run"
    with pytest.raises(SaveAt.Killed):
        fit(run, SaveAt(run / "saved", 4), module=Pictures)
    averages = folder.read(run / "saved")["optimizer_states"][0]["state"][0]["exp_avg"]
    assert averages.shape == (4, 3, 3, 3) and averages.is_contiguous()
    assert difference(want, traces(fit(run, resume=run / "saved", module=Pictures), run)) == ""


def step(optimizer: torch.optim.Optimizer, weight: nn.Parameter) -> None:
    gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    weight.grad = torch.empty_like(weight).copy_(gradient)
    optimizer.step()
