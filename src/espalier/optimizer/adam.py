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
    """Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), torch's fused form.

        m_t = b1 m_t-1 + (1 - b1) g_t,    v_t = b2 v_t-1 + (1 - b2) g_t^2
        w_t = w_t-1 - lr (m_t / (1 - b1^t)) / (sqrt(v_t / (1 - b2^t)) + eps)

    m_0 = v_0 = 0, ``betas`` (b1, b2); g_t is the gradient, with ``weight_decay`` w_t-1 added to it.

    ``espalier train optimizer=adam optimizer.lr=1e-3``
    """
    first, second = betas
    return clippable(
        torch.optim.Adam(groups, lr=lr, betas=(first, second), eps=eps, weight_decay=weight_decay, fused=True)
    )
