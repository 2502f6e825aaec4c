"""``trainer.max_time``: a run that is given so much time ends in order when it is over."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import Any

import pytorch_lightning as pl

from espalier.core.quantities import duration
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.ranks import any_rank


@without_idle_hooks
class Budget(pl.Callback):
    """Ends training at the first optimizer step after the time is over: with a validation, a checkpoint, and the test.

    Lightning's own Timer may end a step in the middle of its micro-batches. Time is that of training, validations and
    checkpoints, on the first rank's clock, over resumes; not that of the start and the test.

    Attributes:
        ended: why training ended, for people; ``""`` while it has not.
    """

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit.total_seconds()
        self._before, self._began = 0.0, monotonic()
        self.ended = ""

    def state_dict(self) -> dict[str, Any]:
        """The time that is used up."""
        return {"seconds": self._used()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self._before = state_dict["seconds"]

    def on_fit_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Don't train on when it was over before."""
        self._look(trainer, self._before)

    def on_train_start(self, *_: Any) -> None:
        """Start the clock."""
        self._began = monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Look at it after each optimizer step, before what follows the step is decided."""
        if not trainer.fit_loop._should_accumulate():
            self._look(trainer, self._used())

    def _look(self, trainer: pl.Trainer, seconds: float) -> None:
        if any_rank(trainer.is_global_zero and seconds >= self._limit):
            self.ended = f"trainer.max_time, {duration(self._limit)}, is over"
            trainer.should_stop = True

    def _used(self) -> float:
        return self._before + monotonic() - self._began
