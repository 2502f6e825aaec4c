"""``callback/gradient_norm``: how large gradients are."""

from __future__ import annotations

from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.nn.utils import get_total_norm

from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks


@without_idle_hooks
class GradientNorm(pl.Callback):
    """Logs ``gradient_norm``: of all gradients together (L2), before they are clipped.

    ``espalier train callback=[checkpoint,early_stopping,bad_steps,throughput,progress,gradient_norm]``

    Args:
        every_n_steps: optimizer steps; the first is logged too.
    """

    def __init__(self, _run: RunInfo, /, *, every_n_steps: Annotated[int, Ge(1)]) -> None:
        self.every = every_n_steps
        self._norm: Tensor | None = None

    def on_before_optimizer_step(self, trainer: pl.Trainer, _: Any, optimizer: torch.optim.Optimizer) -> None:
        """Look at the gradients of the step that follows, if it is its turn."""
        if trainer.global_step == 0 or (trainer.global_step + 1) % self.every == 0:
            gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            norm = get_total_norm(gradients)
            self._norm = norm.full_tensor() if isinstance(norm, DTensor) else norm  # of all ranks' shards

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Log it under that step's number."""
        if self._norm is not None:
            for logger in trainer.loggers:
                logger.log_metrics({"gradient_norm": float(self._norm)}, trainer.global_step)
            self._norm = None
