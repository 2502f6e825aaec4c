"""Trials get their numbers: in the record before anything runs, each point and seed once, equal configs under one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from espalier.config.dimensions import words_of
from espalier.core.errors import UserError
from espalier.core.record import Record, TrialRecord
from espalier.core.searching import Point, identity
from espalier.sweep.attempts import Attempts, Plans
from espalier.sweep.objectives import Objective
from espalier.sweep.proposals import Proposals


class Enrolment:
    """Plans trials and records them.

    Args:
        record: what an earlier driver recorded is known.
        attempts: gets each plan that was made.
    """

    def __init__(self, record: Record, plans: Plans, attempts: Attempts, proposals: Proposals) -> None:
        self._record, self._plans, self._attempts, self._proposals = record, plans, attempts, proposals
        self._digests = {t.digest: t.trial for t in reversed(record.trials.values()) if t.same_as is None and t.digest}

    def plan(self, point: Point, seed: int, configuration: int | None = None, *, number: int | None = None) -> int:
        """Record a trial, under the next number if none is given; one that is the same as another never runs.

        Raises:
            UserError: it cannot be.
        """
        number = len(self._record.trials) if number is None else number
        own = number if configuration is None else configuration
        planned = self._plans.at(point, seed)
        told: dict[str, Any] = {
            "configuration": own, "point": dict(point), "seed": planned.seed, "words": list(planned.words),
            "name": planned.name, "digest": planned.digest,
        }  # fmt: skip
        same = self._digests.setdefault(planned.digest, number)
        if same == number:
            self._attempts.know(number, planned)
            self._record.write("planned", number, **told)
        else:
            self._record.write("duplicate", number, same_as=same, **told)
        return number

    def ask(self, known: Sequence[Objective]) -> TrialRecord | None:
        """Record what the search proposes, planned or failed at once; None where it proposes nothing.

        Args:
            known: the objectives, with what ``auto`` turned out to be.
        """
        number = len(self._record.trials)
        point = self._proposals.next(number)
        if point is None:
            return None
        self._try(number, point, self._plans.seeds[0])
        trials = self._record.trials
        same = trials[number].same_as
        self._proposals.tell(trials, trials[number if same is None else same], known)
        return trials[number]

    def again(self, trial: TrialRecord) -> None:
        """Plan one once more that could not be when it was proposed, and that shall be tried again."""
        self._try(trial.trial, trial.point, trial.seed)

    def begin_grid(self, pairs: Sequence[tuple[Point, int]]) -> None:
        """Record every trial of a grid that is not recorded yet."""
        firsts = {identity(trial.point): trial.configuration for trial in reversed(self._record.trials.values())}
        known = {(identity(trial.point), trial.seed) for trial in self._record.trials.values()}
        for point, seed in pairs:
            name = identity(point)
            if (name, seed) not in known:
                firsts.setdefault(name, len(self._record.trials))
                self.plan(point, seed, firsts[name])
        self._proposals.is_over = True

    def _try(self, number: int, point: Point, seed: int) -> None:
        try:
            self.plan(point, seed, number=number)
        except UserError as error:  # a corner of the space that was not looked at before
            words = words_of(point)
            told = {"configuration": number, "point": dict(point), "seed": seed, "words": list(words)}
            self._record.write("planned", number, **told, name=" ".join(words))
            self._record.write("failed", number, why=str(error))
