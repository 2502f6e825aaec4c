"""``scheduler=linear``."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from espalier.scheduler.ending import require_end
from espalier.scheduler.warmup import Warmup, warm, warmup_steps


def linear(optimizer: Optimizer, total_steps: int, /, *, warmup: Warmup) -> LRScheduler:
    """Up to the rate during warm-up, then in a straight line to 0, which a step after the last would have.

    ``espalier train scheduler=linear scheduler.warmup=0.06``

    Raises:
        ConfigError: the run has no last step.
    """
    require_end(total_steps, "linear")
    steps = warmup_steps(warmup, total_steps)

    def factor(step: int) -> float:
        left = (total_steps - step) / max(1, total_steps - steps)
        return warm(step, steps) if step < steps else max(0.0, left)

    return LambdaLR(optimizer, factor)
