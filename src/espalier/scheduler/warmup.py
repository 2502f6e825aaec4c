"""Linear warm-up, which every schedule begins with."""

from typing import Annotated

from annotated_types import Ge

Warmup = Annotated[float, Ge(0)]
"""Below 1: a share of all steps; from 1: a number of steps."""


def warmup_steps(warmup: float, total_steps: int) -> int:
    """Steps of warm-up; a share of an endless run (``total_steps`` < 0) is none."""
    return int(warmup) if warmup >= 1 else int(warmup * max(total_steps, 0))


def warm(step: int, steps: int) -> float:
    """The factor on the learning rate before optimizer step ``step`` (from 0): 1/steps, 2/steps … 1."""
    return min(1.0, (step + 1) / steps) if steps else 1.0
