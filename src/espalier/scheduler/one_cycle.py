"""``scheduler=one_cycle``."""

from __future__ import annotations

import math
from typing import Annotated, Any

from annotated_types import Gt, Le, Lt
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from espalier.core.errors import ConfigError, Fault
from espalier.scheduler.ending import require_end
from espalier.scheduler.warmup import Warmup, warmup_steps


def one_cycle(
    optimizer: Optimizer,
    total_steps: int,
    /,
    *,
    warmup: Warmup,
    start_ratio: Annotated[float, Gt(0), Le(1)],
    end_ratio: Annotated[float, Gt(0), Le(1)],
    low_momentum: Annotated[float, Gt(0), Lt(1)] | None,
) -> LRScheduler:
    """Up to the rate and down far below it, each along half a cosine; momentum goes the other way.

    ``espalier train scheduler=one_cycle optimizer.lr=3e-3`` (Smith & Topin 2019, arXiv:1708.07120)

    Args:
        warmup: the way up.
        start_ratio: the first step's rate, over the highest.
        end_ratio: the last step's rate, over the highest.
        low_momentum: momentum (Adam's first beta) at the highest rate; at both ends it is the optimizer's own. None: it
            stays.

    Raises:
        ConfigError: the run has no last step, or the optimizer no momentum to lower.
    """
    require_end(total_steps, "one_cycle")
    top, last = warmup_steps(warmup, total_steps), max(1, total_steps - 1)

    def height(step: int) -> float:
        """0 at both ends, 1 at the top."""
        done = (step - top) / max(1, last - top)
        share = step / top if step < top else 1.0 - min(1.0, done)
        return (1 - math.cos(math.pi * share)) / 2

    def factor(step: int) -> float:
        floor = start_ratio if step < top else end_ratio
        return floor + (1 - floor) * height(step)

    if low_momentum is None:
        return LambdaLR(optimizer, factor)
    for group in optimizer.param_groups:
        if not _momentum(group):
            truth = f"the optimizer has no momentum to lower to {low_momentum}."
            raise ConfigError(Fault("scheduler=one_cycle", truth, "Set scheduler.low_momentum=null."))
    return _Cycle(optimizer, factor, height, low_momentum)


class _Cycle(LambdaLR):
    """Sets momentum with the rate. What it began with stands in the groups, which are saved with the optimizer."""

    def __init__(self, optimizer: Optimizer, factor: Any, height: Any, low: float) -> None:
        self._height, self._low = height, low
        for group in optimizer.param_groups:
            group.setdefault("initial_momentum", _momentum(group))
        super().__init__(optimizer, factor)

    def get_lr(self) -> list[float | Tensor]:
        share = self._height(self.last_epoch)
        for group in self.optimizer.param_groups:
            high = group["initial_momentum"]
            value = high + (min(self._low, high) - high) * share
            if "momentum" in group:
                group["momentum"] = value
            if "betas" in group:
                group["betas"] = (value, group["betas"][1])
        return super().get_lr()

    def state_dict(self) -> dict[str, Any]:
        return {key: value for key, value in super().state_dict().items() if key != "_height"}


def _momentum(group: dict[str, Any]) -> float:
    return float(group["betas"][0] if "betas" in group else group.get("momentum", 0.0))
