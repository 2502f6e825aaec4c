from __future__ import annotations

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.optimizer.adafactor import adafactor


def test_it_keeps_a_row_and_a_column_of_a_matrix() -> None:
    layer = nn.Linear(50, 40)
    made = adafactor(layer.parameters(), **defaults_of("optimizer/adafactor"))
    layer(torch.ones(1, 50)).sum().backward()
    made.step()
    kept = {name: tuple(value.shape) for name, value in made.state[layer.weight].items()}
    assert kept == {"step": (), "row_var": (40, 1), "col_var": (1, 50)}


def test_a_step_is_relative_to_the_parameters_size() -> None:
    weight = nn.Parameter(torch.full((4, 4), 100.0))
    made = adafactor([weight], **defaults_of("optimizer/adafactor", lr=0.01))
    weight.grad = torch.ones(4, 4)
    made.step()
    torch.testing.assert_close(weight.detach(), torch.full((4, 4), 99.0), rtol=0, atol=1e-3)
