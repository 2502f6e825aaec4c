"""A trial asks its sweep whether to go on: a callback that stands between two steps until the answer is there."""

from __future__ import annotations

import math
import signal
import time
from typing import Any, ClassVar

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from espalier.core.errors import InterruptedRunError, PausedRunError
from espalier.core.parts import RunInfo
from espalier.core.trial import Answer, Ask, Trial, read_answer, write_ask
from espalier.run.stop import Stop
from espalier.state.boundary import AtBoundary, is_over, save
from espalier.state.ranks import highest

_PATIENCE = 120.0  # seconds: who does not answer in this time is not there, and will find the question later
_LOOK = 0.02
_GO_ON, _PAUSE = 0, 1  # what the ranks agree on; higher numbers are signals'


class Rungs(AtBoundary):
    """Counts validations; after those that are rungs the first rank asks, and all ranks go on or end together.

    A trial that is resumed where it had asked asks again before its first step, unless it was told to go on: whoever is
    killed at whatever moment, a question is answered once and nothing is trained for that was not allowed. It never
    asks after its last validation, which only the run itself may know: nothing is left to allow.

    Args:
        run: whose directory holds question and answer.
        trial: says the rungs.
        stop: a signal ends the waiting as well.
    """

    order: ClassVar[int] = 1  # after the best is marked; added behind ``Stop``, which comes first

    def __init__(self, run: RunInfo, trial: Trial, stop: Stop, /) -> None:
        self.directory, self.stop, self.rungs = run.directory, stop, frozenset(trial.rungs)
        self.objective = trial.objective or run.objective
        self.validations, self.value, self.step = 0, math.nan, 0
        self._fresh, self._others = False, tuple[str, ...]()

    def state_dict(self) -> dict[str, Any]:
        """The last validation: what would be asked."""
        return {"validations": self.validations, "value": self.value, "step": self.step, "others": list(self._others)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse."""
        self.validations, self.value, self.step = (state_dict[name] for name in ("validations", "value", "step"))
        self._others = tuple(state_dict.get("others", ()))

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count."""
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING:
            return
        self.validations += 1
        known = trainer.callback_metrics
        self.value = float(known.get(self.objective, math.nan))
        self._others = () if self.objective in known else tuple(known)
        self.step, self._fresh = trainer.global_step, True

    def before_training(self, trainer: pl.Trainer) -> None:
        """After a resume: ask what was not answered."""
        if not is_over(trainer):
            self._ask(trainer)

    def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
        """Ask after a validation that is not the last.

        Raises:
            PausedRunError: the sweep says so, or nobody answers; the step is saved.
            InterruptedRunError: a signal came while it waited; the step is saved.
        """
        fresh, self._fresh = self._fresh, False
        if fresh and not (epoch_end and is_over(trainer)):
            self._ask(trainer)

    def _ask(self, trainer: pl.Trainer) -> None:
        if self.validations not in self.rungs:
            return
        verdict = highest(self._verdict() if trainer.is_global_zero else self.stop.heard)
        if verdict == _GO_ON:
            return
        save(trainer, self.stop.store)
        if verdict == _PAUSE:
            raise PausedRunError(f"waits after validation {self.validations}")
        raise InterruptedRunError(signal.Signals(verdict).name)

    def _verdict(self) -> int:
        """Ask, unless it was told to go on, and wait. A "pause" that stands there holds until the sweep replaces it."""
        if _allows(read_answer(self.directory), self.validations):
            return _GO_ON
        value = self.value if math.isfinite(self.value) else None
        until, asked = time.monotonic() + _PATIENCE, False
        while time.monotonic() < until and not self.stop.heard:
            asked = asked or self._asks(Ask(self.validations, self.step, value, self._others))
            answer = read_answer(self.directory)
            if answer and answer.validations == self.validations:
                return _GO_ON if answer.go_on else _PAUSE
            time.sleep(_LOOK)
        return self.stop.heard or _PAUSE

    def _asks(self, ask: Ask) -> bool:
        """Whether it could be written: a full disk may have room again."""
        try:
            write_ask(self.directory, ask)
        except OSError:
            return False
        return True


def _allows(answer: Answer | None, validations: int) -> bool:
    """Whether this rung was passed: it was told to go on here, or was asked about a later one already."""
    if answer is None:
        return False
    return answer.validations > validations or (answer.validations == validations and answer.go_on)
