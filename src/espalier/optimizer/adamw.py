"""``optimizer=adamw``."""

from __future__ import annotations

from typing import Annotated, Unpack

import torch
from annotated_types import Ge, Gt, Len, Lt
from torch.optim.optimizer import ParamsT

from espalier.optimizer.common import Common
from espalier.optimizer.fused import clippable


def adamw(
    groups: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    betas: Annotated[list[Annotated[float, Ge(0), Lt(1)]], Len(2, 2)],
    eps: Annotated[float, Gt(0)],
    weight_decay: Annotated[float, Ge(0)],
    **_common: Unpack[Common],
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101), torch's fused form.

    ``espalier train optimizer=adamw optimizer.lr=3e-4``
    """
    first, second = betas
    return clippable(
        torch.optim.AdamW(groups, lr=lr, betas=(first, second), eps=eps, weight_decay=weight_decay, fused=True)
    )
