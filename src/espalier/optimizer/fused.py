"""What torch's fused optimizers need to work with clipped gradients."""

from __future__ import annotations

from torch.optim import Optimizer


def clippable(optimizer: Optimizer) -> Optimizer:
    """The fused optimizer, which leaves the unscaling of gradients to the trainer.

    Fused optimizers say that they unscale fp16's gradients inside their step, and Lightning then refuses to clip under
    every mixed precision, bf16 too, since it would clip scaled ones. Not said, the trainer unscales, clips, then steps.
    """
    optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
    return optimizer
