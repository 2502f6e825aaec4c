"""``callback/learning_rate``: the rate of each group of parameters."""

from __future__ import annotations

from typing import Annotated, Any

import pytorch_lightning as pl
from annotated_types import Ge

from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks


@without_idle_hooks
class LearningRate(pl.Callback):
    """Logs ``lr/<group>`` of every group that the optimizers have: by layer, with and without weight decay.

    ``espalier train callback=[checkpoint,early_stopping,bad_steps,learning_rate] optimizer.layer_decay=0.8``

    Args:
        every_n_steps: optimizer steps; the first is logged too.
    """

    def __init__(self, _run: RunInfo, /, *, every_n_steps: Annotated[int, Ge(1)]) -> None:
        self.every = every_n_steps
        self._rates: dict[str, float] = {}

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Note the rates of the step that follows: when it ends, schedules have moved on."""
        if trainer.global_step == 0 or (trainer.global_step + 1) % self.every == 0:
            self._rates = dict(_rates(trainer))

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Log them under that step's number."""
        if self._rates and not trainer.fit_loop._should_accumulate():
            for logger in trainer.loggers:
                logger.log_metrics(self._rates, trainer.global_step)
            self._rates = {}


def _rates(trainer: pl.Trainer) -> Any:
    several = len(trainer.optimizers) > 1
    for i, optimizer in enumerate(trainer.optimizers):
        for j, group in enumerate(optimizer.param_groups):
            name = group.get("name", str(j))
            yield (f"lr/{i}-{name}" if several else f"lr/{name}"), float(group["lr"])
