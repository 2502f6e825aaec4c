"""Memory layouts of what an optimizer keeps beside each parameter.

A checkpoint holds tensors contiguously. torch's fused optimizers walk a parameter and its averages in the order of
memory: on a CPU, of a ``channels_last`` weight and contiguous averages they combine values that don't belong together,
and say nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer


def as_parameters(optimizer: Optimizer) -> None:
    """Lay out the optimizer's state as its parameters are, where it has their shape."""
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.stride() != parameter.stride():
                kept[name] = torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
