"""The loop of a sweep: ask, place, watch, tell. A place that falls free gets the next trial at once, without a barrier.

It knows the parts by their interfaces alone, and the time by the clock it is given: a simulated launcher drives it as
well as a cluster does. Everything it decides stands in the record before it is done, so that it may be killed anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from espalier.core.errors import Fault, UserError
from espalier.core.files import is_full
from espalier.core.launching import Ended
from espalier.core.outcome import Outcome
from espalier.core.record import Record, TrialRecord
from espalier.sweep.attempts import Attempts
from espalier.sweep.conclusion import Conclusion
from espalier.sweep.enrolment import Enrolment
from espalier.sweep.objectives import Objective, are_finite, none_such, of_rungs, read_objectives, settle, values_of
from espalier.sweep.parts import Clock, Parts, Watcher
from espalier.sweep.places import Places, Running
from espalier.sweep.proposals import Proposals
from espalier.sweep.questions import Questions
from espalier.sweep.same_rows import SameRows
from espalier.sweep.standings import Standing, finalists, standings
from espalier.sweep.trial_files import outcome_of
from espalier.sweep.turns import Turns

POLL = 0.05  # seconds
_NO_OBJECTIVE = "sweep.objectives names what no trial tells"
_OTHER_ROWS = "Put them back, and  espalier sweep retry --failed , or begin another sweep."


class Driver:
    """A sweep, from its record to its end.

    Args:
        directory: of the sweep, absolute.
        record: open; what an earlier driver wrote in it is taken up.
        parts: the launcher entered, the search started.
        clock: how time passes.
        watcher: tells people.

    Attributes:
        ending: why no further trial is begun: ``interrupted``, ``stopped``; empty while it goes on.
        why: the same, for people.
    """

    def __init__(self, directory: Path, record: Record, parts: Parts, clock: Clock, watcher: Watcher) -> None:
        self.directory, self.record, self.parts, self.clock, self.watcher = directory, record, parts, clock, watcher
        self.places = Places(parts.launcher, clock.now)
        self.asked_objectives = read_objectives(parts.settings.objectives)
        self.objectives: list[Objective] = self.asked_objectives
        self._compared = of_rungs(self.asked_objectives[0])
        self.questions = Questions(parts.pruning, record, self._compared.sign if self._compared else 1)
        self.attempts = Attempts(
            directory, record, self.places, parts.plans, parts.pruning.rungs,
            self._compared.name if self._compared else "", parts.settings.retries, clock.now,
        )  # fmt: skip
        self.same_rows = SameRows(directory, record, self.attempts)
        self.proposals = Proposals(parts.search, parts.settings.trials, self.asked_objectives)
        self.enrolment = Enrolment(record, parts.plans, self.attempts, self.proposals)
        self.turns = Turns(self)
        self.conclusion = Conclusion(self)
        self.began = clock.now()
        self.ending = self.why = ""
        self.fault: UserError | None = None
        self._failed_before = self._failed()

    @property
    def trials(self) -> dict[int, TrialRecord]:
        """By number."""
        return self.record.trials

    def standings(self) -> list[Standing]:
        """Configurations that are done, the best first."""
        return standings(self.trials.values(), self.objectives)

    def end(self, ending: str, why: str) -> None:
        """Begin no further trial, end those that run with a checkpoint; ``run`` returns when they have ended."""
        if not self.ending:
            self.ending, self.why = ending, why
            self.places.cancel(now=False)

    def run(self) -> None:
        """To the end.

        Raises:
            UserError: trials cannot be judged by what ``sweep.objectives`` names, or were trained on different rows.
        OSError: the disk is full, and nobody waits.
        """
        while True:
            self.watcher.look(self)
            moved = self._watch()
            self.keep_limits()
            try:
                moved |= self._place()
            except OSError as error:
                if not is_full(error):
                    raise  # of a trial's own directory; there may be room in the next round
            if not self.places.running and not moved and (self.ending or not self.has_more()):
                break
            if self.places.running and self._leaves():
                self.ending, self.why = "detached", "everything is handed over"
                break
            self.clock.sleep(POLL)
        if not self.ending and self.is_late and self._is_cut_short():
            self.ending, self.why = "stopped", f"sweep.max_time={self.parts.settings.max_time:g} minutes are over"
        if self.fault:
            raise self.fault

    def learn(self, outcome: Outcome | None) -> bool:
        """What a trial says of its objective; whether it is that of the others, without which the sweep ends."""
        if outcome and outcome.objective:
            try:
                self.objectives = settle(self.asked_objectives, self.objectives, outcome)
            except UserError as error:
                self._give_up(error, "trials have different objectives")
                return False
            if not self._compared:
                self.questions.sign = -1 if outcome.direction == "min" else 1
        return True

    def take_end(self, number: int, running: Running, ended: Ended) -> None:
        """Record what an attempt came to, and tell the search."""
        directory = running.job.directory
        comparable = self.learn(outcome_of(directory))
        trial = self.trials[number]
        ending, outcome = self.attempts.end(trial, running, ended)
        if ending.kind == "paused":
            self._answer(number, directory)
            kind = "paused" if self.questions.stays_paused(directory) else "again"
            self.record.write(kind, number, cost=self.attempts.cost(trial, running, outcome))
        elif ending.kind == "done" and not comparable:
            self.record.write(
                "again", number, why="another objective", cost=self.attempts.cost(trial, running, outcome)
            )
        elif ending.kind == "done" and outcome:
            self.take_done(trial, outcome, self.attempts.cost(trial, running, outcome))
        self.questions.changed()
        self.proposals.tell(self.trials, self.trials[number], self.objectives)
        self.watcher.moved(self, self.trials[number])

    def take_done(self, trial: TrialRecord, outcome: Outcome, cost: Mapping[str, Any]) -> None:
        """Record the values of a trial that came to its end; the sweep ends where its rows are not those of others."""
        if (other := self.same_rows.other(trial, outcome)) is not None:
            truth = f"was trained on other rows than trial {other}: the data have changed since."
            self.record.write("failed", trial.trial, why=f"other rows than trial {other}'s", cost=cost)
            self._give_up(UserError(Fault(f"trial {trial.trial}", truth, _OTHER_ROWS)), "the data have changed")
            return
        try:
            values = values_of(self.objectives, outcome)
        except UserError as error:
            self.record.write("again", trial.trial, why="no such objective", cost=cost)
            self._give_up(error, _NO_OBJECTIVE)
            return
        if not are_finite(values):
            told = zip(self.objectives, values, strict=True)
            said = ", ".join(f"{one.name} is {value}" for one, value in told if not math.isfinite(value))
            self.record.write("failed", trial.trial, why=f"diverged: {said}", cost=cost, diverged=True)
            return
        metrics = {name: value for name, value in outcome.metrics.items() if math.isfinite(value)}
        self.record.write("done", trial.trial, values=list(values), metrics=metrics, cost=cost)

    def take_failed(self, number: int, why: str) -> None:
        """Record that a trial that waits will never run."""
        self.record.write("failed", number, why=why)
        self.questions.changed()
        self.proposals.tell(self.trials, self.trials[number], self.objectives)
        self.watcher.moved(self, self.trials[number])

    def _watch(self) -> bool:
        """Take up ends and questions; whether there were any."""
        moved = False
        for number, running, ended in self.places.ended():
            moved = True
            if running.job.verb == "conclude":
                self.conclusion.take_end(number, running, ended)
            else:
                self.take_end(number, running, ended)
        for number, running in self.places.running.items():
            if running.job.verb == "run" and self.questions.is_new(running):
                self.learn(outcome_of(running.job.directory))
                try:
                    self._answer(number, running.job.directory)
                except OSError as error:
                    if not is_full(error):
                        raise
                    running.asked = 0  # answered in a later round, or it waits by itself
        return moved

    def _answer(self, number: int, directory: Path) -> None:
        """Answer a question; one without the objective ends the sweep: else trials would be cut by nothing."""
        if self._compared and (others := self.questions.others(directory)):
            self._give_up(none_such([self._compared], others), _NO_OBJECTIVE)
        else:
            self.questions.answer(number, directory)

    def _give_up(self, fault: UserError, why: str) -> None:
        """Nothing that trials come to would count: to be mended by the user."""
        self.fault = self.fault or fault
        self.end("stopped", why)

    def _place(self) -> bool:
        """Give free places away; whether there were any to give, and somebody to take them."""
        moved = False
        while not self.ending and (number := self.turns.next()) is not None:
            self.attempts.place(self.trials[number])
            moved = True
        return moved or (not self.ending and self.conclusion.place())

    def ask(self) -> bool:
        """Plan what the search proposes; whether it proposes anything."""
        trial = self.enrolment.ask(self.objectives)
        if trial and trial.state == "failed":
            self.watcher.moved(self, trial)
        return trial is not None

    def has_more(self) -> bool:
        """Nothing runs: whether there is more to do."""
        if not self.is_late:
            if self.turns.waiting() or self.proposals.has_more:
                return True
            if self.turns.idle():
                return True
            for number in self.turns.paused():
                last = self.trials[number].rungs[-1][0] if self.trials[number].rungs else 0
                self.record.write("stopped", number, why=f"cut after validation {last}")
            for first, seed in self._finalists():
                self.enrolment.plan(first.point, seed, first.configuration)
            if self.turns.waiting():
                return True
        return self.parts.settings.test and self.conclusion.begin()

    def _finalists(self) -> list[tuple[TrialRecord, int]]:
        return finalists(self.trials, self.objectives, self.parts.settings.finalists, self.parts.plans.seeds)

    def _is_cut_short(self) -> bool:
        """Whether something is left that would be trained, were there time."""
        return bool(self.turns.waiting() or self.turns.paused() or self.proposals.has_more or self._finalists())

    @property
    def is_late(self) -> bool:
        """Whether ``sweep.max_time`` is over."""
        most = self.parts.settings.max_time
        return most is not None and self.clock.now() - self.began > most * 60

    def _leaves(self) -> bool:
        """Whether everything is handed over, nobody will ask anything, and the driver may go."""
        if not self.parts.settings.detach or self.turns.waiting() or self.turns.paused() or self.proposals.has_more:
            return False
        running = self.places.running.items()
        return not any(self.questions.may_ask(self.trials[number], one.job.directory) for number, one in running)

    @property
    def failures(self) -> int:
        """Trials that have failed since this driver began, less those that were tried once more."""
        return self._failed() - self._failed_before

    def _failed(self) -> int:
        return sum(trial.state == "failed" for trial in self.trials.values())

    def keep_limits(self) -> None:
        """End the sweep where as many have failed as may."""
        most = self.parts.settings.max_failures
        if most is not None and self.failures >= most:
            self.end("stopped", f"{self.failures} trials have failed (sweep.max_failures={most})")
