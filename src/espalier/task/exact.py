"""Numbers in fp64: of devices that have none, and in checkpoints, where no precision of weights may round them."""

from __future__ import annotations

import torch
from torch import Tensor


def exact(values: Tensor) -> Tensor:
    """The values in fp64; those of an Apple GPU on the CPU, since it has no such numbers."""
    return (values.cpu() if values.device.type == "mps" else values).double()


def bits_of(value: float) -> Tensor:
    """A number as a buffer keeps it, int64: what brings weights to another precision leaves integers alone."""
    return torch.tensor(value, dtype=torch.float64).view(torch.int64)


def value_of(bits: Tensor) -> float:
    """The reverse of ``bits_of``."""
    return float(bits.cpu().view(torch.float64))
