from __future__ import annotations

from types import SimpleNamespace

from torch import nn, zeros

from espalier.run.session import _parameters


def test_weights_of_4_bits_are_counted_as_the_weights_they_are() -> None:
    """As bitsandbytes keeps them: two in a byte, and the shape that they had."""
    task = nn.Sequential(nn.Linear(4, 8))
    packed = nn.Parameter(zeros(16, 1), requires_grad=False)
    packed.quant_state = SimpleNamespace(shape=task[0].weight.shape)  # type: ignore[attr-defined]
    task[0].weight = packed
    assert _parameters(task) == {"parameters": 40, "trained_parameters": 8}  # type: ignore[arg-type]
