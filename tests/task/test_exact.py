from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from espalier.task.exact import bits_of, exact, value_of


def test_values_are_in_fp64_where_they_are() -> None:
    found = exact(torch.tensor([0.1, 2.0]))
    assert (found.dtype, found.device.type) == (torch.float64, "cpu")
    assert exact(torch.tensor([True, False])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("value", [0.1, -1e300, 5e-324, math.inf, -math.inf])
def test_a_number_keeps_its_last_bit_in_any_precision_of_weights(value: float) -> None:
    module = nn.Linear(1, 1)
    module.register_buffer("bits", bits_of(value))
    assert value_of(module.half().to(torch.bfloat16).get_buffer("bits")) == value
