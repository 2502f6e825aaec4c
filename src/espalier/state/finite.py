"""Whether what would be saved is worth going on from: no weight that learns, and nothing of an optimizer, is NaN."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor


def not_finite(trainer: pl.Trainer) -> str:
    """The first of a rank's learning parameters, or of what its optimizers know of them, with a NaN or an infinity.

    Reads each once, and waits for a GPU once. Buffers and frozen weights, which may hold masks of minus infinity, are
    not looked at.

    Returns:
        Its name (``learner.head.weight``, ``exp_avg of learner.head.weight``); ``""`` where all is finite.
    """
    found = [(name, _plain(value)) for name, value in _tensors(trainer)]
    named = [(name, value) for name, value in found if value.is_floating_point() and value.element_size() > 1]
    for _, group in groupby(named, lambda pair: pair[1].device):
        some = list(group)
        # A sum is NaN or infinite where a term is; the reverse is looked up.
        sums = torch.stack([value.sum(dtype=torch.float32) for _, value in some]).isfinite().tolist()
        for (name, value), good in zip(some, sums, strict=True):
            if not good and not bool(value.isfinite().all()):
                return name
    return ""


def _tensors(trainer: pl.Trainer) -> Iterator[tuple[str, Tensor]]:
    named = trainer.lightning_module.named_parameters()
    learning: dict[Tensor, str] = {parameter: name for name, parameter in named if parameter.requires_grad}
    yield from ((name, parameter.detach()) for parameter, name in learning.items())
    for optimizer in trainer.optimizers:
        for parameter, state in optimizer.state.items():
            for key, value in state.items():
                if isinstance(value, Tensor):
                    yield f"{key} of {learning.get(parameter, 'a parameter')}", value


def _plain(value: Tensor) -> Tensor:
    """Of a sharded tensor this rank's part; of complex numbers their two parts."""
    whole = value.to_local() if isinstance(value, DTensor) else value
    return torch.view_as_real(whole) if whole.is_complex() else whole
