"""How many optimizer steps a run has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def total_steps(steps_per_epoch: int, trainer: Mapping[str, Any]) -> int:
    """The smaller of ``max_steps`` and ``max_epochs`` in steps, with ``limit_train_batches``; -1: without end."""
    share, accumulate = trainer["limit_train_batches"], trainer["accumulate_grad_batches"]
    batches = steps_per_epoch * accumulate
    batches = min(batches, share) if isinstance(share, int) else int(batches * share)
    epoch = math.ceil(batches / accumulate)
    bounds = [trainer["max_steps"]] if trainer["max_steps"] >= 0 else []
    if trainer["max_epochs"] >= 0:
        bounds.append(trainer["max_epochs"] * epoch)
    return min(bounds, default=-1)
