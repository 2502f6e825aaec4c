"""Trials that ask whether to go on, answered by the pruning rule; paused ones that have earned to go on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from espalier.core.record import Record, TrialRecord
from espalier.core.searching import Pruning, Rung
from espalier.core.trial import ASK, Answer, Ask, read_answer, read_ask, read_trial, write_answer
from espalier.sweep.places import Running


class Questions:
    """The rule, and the values it has seen.

    Attributes:
        sign: of the objective that trials report at their rungs: times this, bigger is better.
    """

    def __init__(self, pruning: Pruning, record: Record, sign: int = 1) -> None:
        self._pruning, self._record, self.sign = pruning, record, sign
        self._dirty = True
        self._promoted: int | None = None

    def seen(self) -> list[Rung]:
        """Every value by now, but those of trials that failed: these go nowhere, and nobody has to be better."""
        return [
            Rung(trial.trial, validations, self._signed(value))
            for trial in self._record.trials.values()
            if trial.state not in ("failed", "infeasible")
            for validations, value in trial.rungs
        ]

    def is_new(self, running: Running) -> bool:
        """Whether a trial has asked something since this was last called."""
        try:
            written = (running.job.directory / ASK).stat().st_mtime_ns
        except OSError:
            return False
        is_new, running.asked = written != running.asked, written
        return is_new

    def may_ask(self, trial: TrialRecord, directory: Path) -> bool:
        """Whether a trial that runs has a rung before it where it will wait for an answer."""
        known = read_trial(directory)
        reached = max((validations for validations, _ in trial.rungs), default=0)
        return known is not None and any(rung > reached for rung in known.rungs)

    def others(self, directory: Path) -> tuple[str, ...]:
        """The metrics that a trial's question names, where the sweep's objective is none of them."""
        ask = read_ask(directory)
        return ask.others if ask else ()

    def answer(self, trial: int, directory: Path) -> None:
        """Answer the question that lies there, unless it is answered: to note what was seen comes first."""
        ask = read_ask(directory)
        if ask is None or _is_answered(ask, read_answer(directory)):
            return
        if ask.validations not in {validations for validations, _ in self._record.trials[trial].rungs}:
            self._record.write("rung", trial, validations=ask.validations, value=ask.value)
        self._dirty = True
        asked = Rung(trial, ask.validations, self._signed(ask.value))
        decision = self._pruning.decide(asked, self.seen())
        with suppress(FileNotFoundError):  # somebody has removed the trial's directory
            write_answer(directory, Answer(ask.validations, decision == "go_on"))

    def stays_paused(self, directory: Path) -> bool:
        """Whether a trial that ended as paused was told so; one that had no answer in time may have had the other."""
        ask, answer = read_ask(directory), read_answer(directory)
        return not (ask and answer and answer.validations >= ask.validations and answer.go_on)

    def promoted(self, paused: Sequence[int], *, idle: bool) -> int | None:
        """A paused trial that has earned to go on; asked again only when something has changed."""
        if idle:
            return self._pruning.promote(paused, self.seen(), idle=True) if paused else None
        if self._dirty:
            self._promoted = self._pruning.promote(paused, self.seen()) if paused else None
            self._dirty = False
        return self._promoted

    def let_go_on(self, directory: Path) -> None:
        """Answer a paused trial's question anew, before it is placed."""
        if ask := read_ask(directory):
            write_answer(directory, Answer(ask.validations, True))
        self._dirty = True

    def changed(self) -> None:
        """A trial was paused, or ended."""
        self._dirty = True

    def _signed(self, value: float | None) -> float:
        return -math.inf if value is None or not math.isfinite(value) else self.sign * value


def _is_answered(ask: Ask, answer: Answer | None) -> bool:
    return answer is not None and answer.validations >= ask.validations
