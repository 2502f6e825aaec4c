"""``callback/progress``: how far training is, for people."""

from __future__ import annotations

import math
from collections import deque
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Gt

from espalier.callback.screen import Lines, Screen, open_screen
from espalier.callback.stopwatch import Stopwatch
from espalier.core.facts import unit_of_kinds
from espalier.core.parts import RunInfo
from espalier.core.quantities import duration
from espalier.state.idle_hooks import without_idle_hooks

_NEVER = math.inf
_SMOOTH = 50  # batches of the epoch behind the loss that is shown


@without_idle_hooks
class Progress(pl.Callback):
    """A bar on a terminal, plain lines elsewhere; a line stays for each epoch. Only the first of several ranks speaks.

        epoch 2/3 ━━━━━━━━━━━━━━━━━━╸━━━━  78%   loss 0.291   161 texts/s   0:00:21 left

    The loss is the mean of the epoch's last 50 batches, read from the device only when it is shown. Speed counts
    training alone; the time left counts validations too, once there was one.

    Args:
        refresh_seconds: between two drawings of the bar.
        line_seconds: between two plain lines.
    """

    def __init__(
        self,
        run: RunInfo,
        /,
        *,
        refresh_seconds: Annotated[float, Gt(0)],
        line_seconds: Annotated[float, Gt(0)],
    ) -> None:
        self._objective = run.objective
        self._every = {Screen: refresh_seconds, Lines: line_seconds}
        self._screen: Screen | Lines | None = None
        self._due = _NEVER
        self._losses: deque[torch.Tensor] = deque(maxlen=_SMOOTH)
        self._parts = 1
        self._epoch_began = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Look at where the output goes, and at how much there is to do."""
        self._open(trainer)
        self._train, self._validation = Stopwatch(), Stopwatch()
        self._batches = self._samples = self._validations = 0
        # By which Lightning has divided losses, for the sum of gradients, where it is Lightning that steps.
        self._parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
        facts: Any = pl_module.facts
        self._unit = unit_of_kinds(facts.kinds)
        self._batches_per_epoch = int(trainer.num_training_batches)
        self._total = _total_batches(trainer, self._batches_per_epoch)
        self.on_train_epoch_start()  # which an epoch that is gone on with does not announce

    def on_train_epoch_start(self, *_: Any) -> None:
        """Start the clocks."""
        self._losses.clear()
        self._epoch_began = perf_counter()
        self._train.go()

    def on_train_batch_end(self, *given: Any) -> None:
        """Count; draw if it is time. ``given`` is trainer, module, outputs, batch, index."""
        trainer, _, outputs, batch, index = given
        self._batches += 1
        self._samples += batch["samples"]
        if outputs and "loss" in outputs:
            self._losses.append(outputs["loss"])
        if perf_counter() >= self._due:
            self._draw_training(trainer, index + 1)

    def on_validation_start(self, *_: Any) -> None:
        """Its time is counted apart."""
        if self._screen:
            self._train.pause()
            self._validation.go()

    def on_validation_batch_end(self, trainer: pl.Trainer, *given: Any) -> None:
        """Draw the validation's own bar if it is time."""
        if perf_counter() >= self._due:
            self._draw(self._heading(trainer) + " validation", given[3] + 1, sum(trainer.num_val_batches), [])

    def on_validation_end(self, *_: Any) -> None:
        """Back to training."""
        if self._screen:
            self._validation.pause()
            self._validations += 1
            self._train.go()

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Leave a line: loss, the objective on validation, seconds."""
        self._train.pause()
        if self._screen is None:
            return
        value = trainer.callback_metrics.get(self._objective)
        words = [self._heading(trainer), *self._loss()]
        if value is not None:
            words.append(f"{self._objective.replace('/', ' ')} {float(value):.3f}")
        self._screen.stay("   ".join([*words, duration(perf_counter() - self._epoch_began)]))
        self._put_off()

    def on_train_end(self, *_: Any) -> None:
        """Take the bar away."""
        self._close()

    def on_test_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """A bar for the test."""
        self._open(trainer)

    def on_test_batch_end(self, trainer: pl.Trainer, *given: Any) -> None:
        """Draw it if it is time."""
        if perf_counter() >= self._due:
            self._draw("test", given[3] + 1, sum(trainer.num_test_batches), [])

    def on_test_end(self, *_: Any) -> None:
        """Take the bar away."""
        self._close()

    def on_exception(self, *_: Any) -> None:
        """Give the terminal back as it was."""
        self._close()

    def _draw_training(self, trainer: pl.Trainer, done: int) -> None:
        speed = self._samples * trainer.world_size / self._train.seconds
        words = [*self._loss(), f"{speed:,.{0 if speed >= 10 else 1}f} {self._unit}/s"]
        if self._total is not None:
            remaining = self._total - trainer.current_epoch * self._batches_per_epoch - done
            words.append(f"{timedelta(seconds=round(self._seconds_for(remaining)))} left")
        self._draw(self._heading(trainer), done, self._batches_per_epoch, words)

    def _draw(self, heading: str, done: int, total: float, words: list[str]) -> None:
        if self._screen:
            self._screen.draw(heading, done / total, words)
        self._put_off()

    def _seconds_for(self, batches: int) -> float:
        training = self._train.seconds / self._batches * batches
        validations = math.ceil(batches / self._batches_per_epoch)
        return training + (self._validation.seconds / self._validations * validations if self._validations else 0.0)

    def _loss(self) -> list[str]:
        if not self._losses:
            return []
        return [f"loss {self._parts * torch.stack(list(self._losses)).mean().item():.3f}"]

    def _heading(self, trainer: pl.Trainer) -> str:
        of = f"/{math.ceil(self._total / self._batches_per_epoch)}" if self._total is not None else ""
        return f"epoch {trainer.current_epoch + 1}{of}"

    def _open(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero:
            self._screen = open_screen()
            self._put_off()

    def _put_off(self) -> None:
        self._due = perf_counter() + self._every[type(self._screen)] if self._screen else _NEVER

    def _close(self) -> None:
        if self._screen:
            self._screen.close()
        self._screen, self._due = None, _NEVER


def _total_batches(trainer: pl.Trainer, per_epoch: int) -> int | None:
    """Of the whole run, those done before a resume included; None where it has no end."""
    ends = []
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        ends.append(trainer.max_epochs * per_epoch)
    if trainer.max_steps >= 0:
        ends.append(trainer.max_steps * trainer.accumulate_grad_batches)
    return min(ends, default=None)
