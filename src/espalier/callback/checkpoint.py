"""``callback=[checkpoint]``: when to save, and which one is the best."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import Annotated, Any

import pytorch_lightning as pl
from annotated_types import Ge, Gt

from espalier.core.parts import RunInfo
from espalier.state.boundary import AtBoundary, save
from espalier.state.ranks import any_rank
from espalier.state.store import Store

_LOOK = 16  # several ranks ask for rank 0's clock every so many steps: asking costs a collective


class Checkpoint(AtBoundary):
    """Saves at each epoch's end, after its validation, and in between by steps and by time.

    ``espalier train callback.checkpoint.every_n_steps=500``

    Args:
        every_n_steps: optimizer steps.
        every_minutes: of rank 0's clock, since the last checkpoint.
    """

    def __init__(
        self,
        run: RunInfo,
        /,
        *,
        every_n_steps: Annotated[int, Ge(1)] | None,
        every_minutes: Annotated[float, Gt(0)] | None,
    ) -> None:
        self.store = Store(run.directory / "checkpoints")
        self.objective, self.sign = run.objective, 1.0 if run.direction == "max" else -1.0
        self.every_n_steps, self.seconds = every_n_steps, every_minutes and every_minutes * 60
        self.best_score: float | None = None
        self.best_step = -1
        self._validated = False
        self._step, self._looked, self._saved_at = 0, 0, 0.0

    def state_dict(self) -> dict[str, Any]:
        """The best score so far and its step."""
        return {"best_score": self.best_score, "best_step": self.best_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse."""
        self.best_score, self.best_step = state_dict["best_score"], state_dict["best_step"]

    def on_fit_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """After a resume: mark the best if a kill came between saving and marking it; make room."""
        if trainer.is_global_zero:
            self.store.clear()
            self._mark()

    def before_training(self, trainer: pl.Trainer) -> None:
        """Start the clock."""
        self._saved_at, self._step = time.monotonic(), trainer.global_step

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """There is a fresh score."""
        self._validated = not trainer.sanity_checking

    def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
        """Save if it's time, and at an epoch's end."""
        before = self.best_score, self.best_step
        improved, due = self._is_better(trainer), self._is_due(trainer)
        if not (epoch_end or improved or due):
            return
        if not save(trainer, self.store):
            self.best_score, self.best_step = before  # what is not there can't be the best
        self._saved_at = time.monotonic()
        if trainer.is_global_zero:
            self._mark()
        if improved:
            trainer.strategy.barrier("best checkpoint")

    def _mark(self) -> None:
        """The best, unless it is marked; what a full disk prevents is tried again after the next save."""
        if self.best_score is not None:
            with suppress(OSError):
                self.store.mend_best(self.best_step, self.best_score)

    def _is_due(self, trainer: pl.Trainer) -> bool:
        before, self._step = self._step, trainer.global_step
        if self.every_n_steps and before // self.every_n_steps != self._step // self.every_n_steps:
            return True
        if self.seconds is None:
            return False
        if trainer.world_size == 1:
            return time.monotonic() - self._saved_at >= self.seconds
        self._looked += 1
        return self._looked % _LOOK == 0 and any_rank(
            trainer.is_global_zero and time.monotonic() - self._saved_at >= self.seconds
        )

    def _is_better(self, trainer: pl.Trainer) -> bool:
        """Whether there is a fresh score and it is the best so far; rank 0 decides, since saving needs all ranks."""
        fresh, self._validated = self._validated, False
        return fresh and any_rank(trainer.is_global_zero and self._improved(trainer))

    def _improved(self, trainer: pl.Trainer) -> bool:
        """Whether the score is the best so far; one that is not finite never is."""
        score = float(trainer.callback_metrics.get(self.objective, math.nan))
        if not math.isfinite(score):
            return False
        if self.best_score is not None and not self.sign * score > self.sign * self.best_score:
            return False
        self.best_score, self.best_step = score, trainer.global_step
        return True
