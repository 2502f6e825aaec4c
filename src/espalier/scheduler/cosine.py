"""``scheduler=cosine``."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Ge, Lt
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from espalier.scheduler.ending import require_end
from espalier.scheduler.warmup import Warmup, warm, warmup_steps


def cosine(
    optimizer: Optimizer, total_steps: int, /, *, warmup: Warmup, min_ratio: Annotated[float, Ge(0), Lt(1)]
) -> LRScheduler:
    """Up to the rate during warm-up, then along half a cosine to ``min_ratio`` of it, which a step after the last has.

    ``espalier train scheduler=cosine scheduler.min_ratio=0.1`` (Loshchilov & Hutter 2017, arXiv:1608.03983)

    Raises:
        ConfigError: the run has no last step.
    """
    require_end(total_steps, "cosine")
    steps = warmup_steps(warmup, total_steps)

    def factor(step: int) -> float:
        if step < steps:
            return warm(step, steps)
        done = min(1.0, (step - steps) / max(1, total_steps - steps))
        return min_ratio + (1 - min_ratio) * (1 + math.cos(math.pi * done)) / 2

    return LambdaLR(optimizer, factor)
