"""``scheduler=constant``."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from espalier.scheduler.warmup import Warmup, warm, warmup_steps


def constant(optimizer: Optimizer, total_steps: int, /, *, warmup: Warmup) -> LRScheduler:
    """The rate stays, after a linear warm-up. ``espalier train scheduler=constant scheduler.warmup=100``."""
    steps = warmup_steps(warmup, total_steps)
    return LambdaLR(optimizer, lambda step: warm(step, steps))
