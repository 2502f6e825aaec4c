"""``optimizer=sgd``."""

from __future__ import annotations

from typing import Annotated, Unpack

import torch
from annotated_types import Ge, Gt, Lt
from torch.optim.optimizer import ParamsT

from espalier.core.errors import ConfigError, Fault
from espalier.optimizer.common import Common
from espalier.optimizer.fused import clippable


def sgd(
    groups: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    momentum: Annotated[float, Ge(0), Lt(1)],
    nesterov: bool,
    weight_decay: Annotated[float, Ge(0)],
    **_common: Unpack[Common],
) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum, torch's. ``espalier train optimizer=sgd optimizer.lr=0.05``.

    Raises:
        ConfigError: ``nesterov`` without momentum.
    """
    if nesterov and not momentum:
        raise ConfigError(
            Fault("optimizer.nesterov=true", "needs momentum, which is 0.", "Set optimizer.momentum=0.9, for instance.")
        )
    return clippable(
        torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=True)
    )
