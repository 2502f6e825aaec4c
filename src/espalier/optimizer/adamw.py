"""``optimizer=adamw``."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Len, Lt
from torch.optim.optimizer import ParamsT

from espalier.optimizer.fused import clippable


def adamw(
    parameters: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    betas: Annotated[list[Annotated[float, Ge(0), Lt(1)]], Len(2, 2)],
    eps: Annotated[float, Gt(0)],
    weight_decay: Annotated[float, Ge(0)],
    parts: dict[str, dict[str, Any]],  # noqa: ARG001  # read where the optimizers are built
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101), torch's fused form.

    ``espalier train optimizer=adamw optimizer.lr=3e-4``
    """
    first, second = betas
    return clippable(
        torch.optim.AdamW(parameters, lr=lr, betas=(first, second), eps=eps, weight_decay=weight_decay, fused=True)
    )
