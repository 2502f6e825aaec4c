"""``optimizer=adafactor``."""

from __future__ import annotations

from typing import Annotated, Unpack

import torch
from annotated_types import Ge, Gt, Le
from torch.optim.optimizer import ParamsT

from espalier.optimizer.common import Common


def adafactor(
    groups: ParamsT,
    /,
    *,
    lr: Annotated[float, Gt(0)],
    beta2_decay: Annotated[float, Le(0)],
    eps: Annotated[float, Gt(0)],
    clip: Annotated[float, Ge(1)],
    weight_decay: Annotated[float, Ge(0)],
    **_common: Unpack[Common],
) -> torch.optim.Optimizer:
    """Adafactor (Shazeer & Stern 2018, arXiv:1804.04235), torch's: of a matrix it keeps a row and a column, no moments.

    ``espalier train optimizer=adafactor optimizer.lr=0.01``

    A step is ``lr`` or, while the run is young, 1 / sqrt(step), whichever is smaller, times the size of what it moves.

    Args:
        lr: relative to a parameter's own root mean square.
        beta2_decay: at step t the squares' average keeps 1 - t ** beta2_decay of its past.
        eps: a parameter's root mean square counts as this at least, so that zeros can move.
        clip: the largest root mean square of an update before it is scaled by the rate.
    """
    return Adafactor(groups, lr=lr, beta2_decay=beta2_decay, eps=(None, eps), d=clip, weight_decay=weight_decay)


class Adafactor(torch.optim.Adafactor):
    """Torch's, that tells its state beforehand: its step looks at values, which shapes alone have not."""

    def state_bytes(self) -> int:
        """Of its state once it has stepped: of a matrix a row and a column, of another parameter its squares."""
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        return sum(_values(parameter.shape) * parameter.element_size() for parameter in parameters)


def _values(shape: torch.Size) -> int:
    return shape.numel() // shape[-1] + shape.numel() // shape[-2] if len(shape) > 1 else shape.numel()
