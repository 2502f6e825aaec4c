"""``optimizer=adam``."""

from __future__ import annotations

from typing import Annotated, Unpack

import torch
from annotated_types import Ge, Gt, Len, Lt
from torch.optim.optimizer import ParamsT

from espalier.optimizer.common import Common
from espalier.optimizer.fused import clippable


def adam(
    groups: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    betas: Annotated[list[Annotated[float, Ge(0), Lt(1)]], Len(2, 2)],
    eps: Annotated[float, Gt(0)],
    weight_decay: Annotated[float, Ge(0)],
    **_common: Unpack[Common],
) -> torch.optim.Optimizer:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), torch's fused form; weight decay is added to the gradient.

    ``espalier train optimizer=adam optimizer.lr=1e-3``
    """
    first, second = betas
    return clippable(
        torch.optim.Adam(groups, lr=lr, betas=(first, second), eps=eps, weight_decay=weight_decay, fused=True)
    )
