"""Schedules that look at validation: a callback, always on, that tells them."""

from __future__ import annotations

import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks


@without_idle_hooks
class Validated(pl.Callback):
    """Hands the task's objective to schedules that have a method ``validated``, a larger score being better.

    Lightning steps such a schedule by the epoch alone, or at each step; here it is told when there is something new.
    """

    def __init__(self, run: RunInfo, /) -> None:
        self._objective, self._sign = run.objective, 1.0 if run.direction == "max" else -1.0

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tell, on all ranks alike."""
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        score = self._sign * float(trainer.callback_metrics.get(self._objective, math.nan))
        for config in trainer.lr_scheduler_configs:
            if told := getattr(config.scheduler, "validated", None):
                told(score)
