"""``callback=[early_stopping]``: end the run when validation has not become better for a while."""

from __future__ import annotations

import math
from typing import Annotated, Any

import pytorch_lightning as pl
from annotated_types import Ge
from pytorch_lightning.trainer.states import TrainerFn

from espalier.core.errors import ConfigError, Fault
from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.ranks import any_rank


@without_idle_hooks
class EarlyStopping(pl.Callback):
    """Ends training after ``patience`` validations in a row without a better value of the task's objective.

    ``espalier train callback.early_stopping.patience=3``

    Args:
        patience: validations.
        min_delta: a value counts as better from here on, in the objective's own unit. NaN is never better.

    Attributes:
        stopped: whether it ended the run; a resume of such a run trains no further.
    """

    def __init__(self, run: RunInfo, /, *, patience: Annotated[int, Ge(1)], min_delta: Annotated[float, Ge(0)]) -> None:
        self.objective, self.sign = run.objective, 1.0 if run.direction == "max" else -1.0
        self.patience, self.min_delta = patience, min_delta
        self.best = -math.inf  # of sign * score
        self.waited = 0
        self.stopped = False

    @property
    def ended(self) -> str:
        """Why training ended, for people; ``""`` where it did not end here."""
        return f"no better {self.objective} in {self.patience} validations" if self.stopped else ""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on with."""
        return {"best": self.best, "waited": self.waited, "stopped": self.stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse."""
        self.best, self.waited, self.stopped = state_dict["best"], state_dict["waited"], state_dict["stopped"]

    def on_fit_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Don't train on what was stopped before."""
        trainer.should_stop = trainer.should_stop or self.stopped

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Compare, on all ranks alike.

        Raises:
            ConfigError: the task didn't log its objective.
        """
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        if self.objective not in trainer.callback_metrics:
            known = ", ".join(sorted(trainer.callback_metrics)) or "nothing"
            truth = f"the task didn't log {self.objective} after a validation."
            raise ConfigError(Fault("task.objective", truth, f"It logged: {known}."))
        score = self.sign * float(trainer.callback_metrics[self.objective])
        if score > self.best and score - self.best >= self.min_delta:
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        self.stopped = any_rank(self.waited >= self.patience)
        trainer.should_stop = trainer.should_stop or self.stopped
