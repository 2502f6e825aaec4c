"""``scheduler=plateau``."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Gt, Lt
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from espalier.scheduler.warmup import Warmup, warm, warmup_steps


class Plateau(LRScheduler):
    """After a linear warm-up the rate stays, and is cut when validation has not become better for a while.

    ``espalier train scheduler=plateau scheduler.patience=2``. It looks at the task's objective, in its direction, after
    each validation, wherever in an epoch that is. The next step has the new rate.

    Args:
        factor: by which the rate is multiplied.
        patience: validations in a row without a better value that are borne; the one after them cuts the rate.
        min_delta: a value counts as better from here on, in the objective's own unit. NaN is never better.
        min_ratio: the lowest rate, over the highest.

    Attributes:
        ratio: the rate that the cuts have left, over the highest.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_steps: int,
        /,
        *,
        warmup: Warmup,
        factor: Annotated[float, Gt(0), Lt(1)],
        patience: Annotated[int, Ge(0)],
        min_delta: Annotated[float, Ge(0)],
        min_ratio: Annotated[float, Ge(0), Lt(1)],
    ) -> None:
        self.steps = warmup_steps(warmup, total_steps)
        self.factor, self.patience, self.min_delta, self.min_ratio = factor, patience, min_delta, min_ratio
        self.ratio, self.waited, self.best = 1.0, 0, -math.inf
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The rate of each group for the step to come."""
        share = warm(self.last_epoch, self.steps) * self.ratio
        return [base * share for base in self.base_lrs]

    def validated(self, score: float, /) -> None:
        """Take up the objective after a validation; a larger ``score`` is better."""
        if score > self.best and score - self.best >= self.min_delta:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.ratio, self.waited = max(self.min_ratio, self.ratio * self.factor), 0
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                group["lr"] = rate
