"""The loop of a sweep: ask, place, watch, tell. A place that falls free gets the next trial at once, without a barrier.

It knows the parts by their interfaces alone, and the time by the clock it is given: a simulated launcher drives it as
well as a cluster does. Everything it decides stands in the record before it is done, so that it may be killed anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.core.errors import Fault, UserError
from espalier.core.launching import Ended, Job
from espalier.core.outcome import Outcome
from espalier.core.record import Record, TrialRecord, trial_directory
from espalier.sweep.attempts import Attempts
from espalier.sweep.conclusion import Conclusion
from espalier.sweep.enrolment import Enrolment
from espalier.sweep.objectives import Objective, are_finite, of_rungs, read_objectives, settled, values_of
from espalier.sweep.parts import Clock, Parts, Watcher
from espalier.sweep.places import Places, Running
from espalier.sweep.proposals import Proposals
from espalier.sweep.questions import Questions
from espalier.sweep.same_rows import SameRows
from espalier.sweep.standings import Standing, finalists, standings
from espalier.sweep.trial_files import outcome_of

POLL = 0.05  # seconds
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
        self.conclusion = Conclusion(self)
        self.began = clock.now()
        self.ending = self.why = ""
        self.fault: UserError | None = None
        self._failed_before = self._failed()
        self._typical: Job | None = None
        self._is_idle = False

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
            UserError: no trial can be judged by what ``sweep.objectives`` names.
        """
        while True:
            self.watcher.look(self)
            moved = self._watch()
            self._keep_limits()
            moved |= self._place()
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

    def learn(self, outcome: Outcome | None) -> None:
        """What a trial says of its objective."""
        if outcome and outcome.objective:
            self.objectives = settled(self.asked_objectives, outcome)
            if not self._compared:
                self.questions.sign = -1 if outcome.direction == "min" else 1

    def take_end(self, number: int, running: Running, ended: Ended) -> None:
        """Record what an attempt came to, and tell the search."""
        directory = running.job.directory
        self.learn(outcome_of(directory))
        trial = self.trials[number]
        ending, outcome = self.attempts.end(trial, running, ended)
        if ending.kind == "paused":
            self.questions.answer(number, directory)
            kind = "paused" if self.questions.stays_paused(directory) else "again"
            self.record.write(kind, number, cost=self.attempts.cost(trial, running, outcome))
        elif ending.kind == "done" and outcome:
            self.take_done(trial, outcome, self.attempts.cost(trial, running, outcome))
        self.questions.changed()
        self.proposals.tell(self.trials, self.trials[number], self.objectives)
        self.watcher.moved(self, self.trials[number])

    def take_done(self, trial: TrialRecord, outcome: Outcome, cost: Mapping[str, Any]) -> None:
        """Record the values of a trial that came to its end; the sweep ends where its rows are not those of others."""
        if (other := self.same_rows.other(trial, outcome)) is not None:
            truth = f"was trained on other rows than trial {other}: the data have changed since."
            self.fault = self.fault or UserError(Fault(f"trial {trial.trial}", truth, _OTHER_ROWS))
            self.record.write("failed", trial.trial, why=f"other rows than trial {other}'s", cost=cost)
            self.end("stopped", "the data have changed")
            return
        try:
            values = values_of(self.objectives, outcome)
        except UserError as error:
            self.fault = self.fault or error
            self.record.write("again", trial.trial, why="no such objective", cost=cost)
            self.end("stopped", "sweep.objectives names what no trial tells")
            return
        if not are_finite(values):
            told = zip(self.objectives, values, strict=True)
            said = ", ".join(f"{one.name} is {value}" for one, value in told if not math.isfinite(value))
            self.record.write("failed", trial.trial, why=f"diverged: {said}", cost=cost)
            return
        metrics = {name: value for name, value in outcome.metrics.items() if math.isfinite(value)}
        self.record.write("done", trial.trial, values=list(values), metrics=metrics, cost=cost)

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
                self.questions.answer(number, running.job.directory)
        return moved

    def _place(self) -> bool:
        """Give free places away; whether there were any to give, and somebody to take them."""
        moved = False
        while not self.ending and (number := self._next()) is not None:
            self.attempts.place(self.trials[number])
            moved = True
        return moved or (not self.ending and self.conclusion.place())

    def _next(self) -> int | None:
        """Who takes a free place: who has earned to go on, who was planned, or a new proposal."""
        if self.is_late:
            return None
        earned = self.questions.promoted(self.paused(), idle=self._is_idle)
        if earned is not None:
            if not self.places.fits(self.attempts.job(self.trials[earned])):
                return None
            self._is_idle = False
            self.questions.let_go_on(trial_directory(self.directory, earned))
            return earned
        while not self.ending:
            waiting = self._waiting()
            fitting = self._fitting(waiting)
            if fitting is not None or waiting:
                return fitting
            if (self._typical and not self.places.fits(self._typical)) or not self.ask():
                return None
            self._keep_limits()
        return None

    def _fitting(self, waiting: Sequence[TrialRecord]) -> int | None:
        """The first of those that wait for which there is a place."""
        seen: list[Mapping[str, Any]] = []
        for trial in waiting:
            hardware = self.attempts.planned(trial).hardware
            if hardware in seen:
                continue
            job = self.attempts.job(trial)
            if self.places.fits(job):
                self._typical = job
                return trial.trial
            seen.append(hardware)
        return None

    def ask(self) -> bool:
        """Plan what the search proposes; whether it proposes anything."""
        trial = self.enrolment.ask(self.objectives)
        if trial and trial.state == "failed":
            self.watcher.moved(self, trial)
        return trial is not None

    def has_more(self) -> bool:
        """Nothing runs: whether there is more to do."""
        if not self.is_late:
            if self._waiting() or self.proposals.has_more:
                return True
            paused = self.paused()
            self._is_idle = self.questions.promoted(paused, idle=True) is not None
            if self._is_idle:
                return True
            for number in paused:
                last = self.trials[number].rungs[-1][0] if self.trials[number].rungs else 0
                self.record.write("stopped", number, why=f"cut after validation {last}")
            for first, seed in self._finalists():
                self.enrolment.plan(first.point, seed, first.configuration)
            if self._waiting():
                return True
        return self.parts.settings.test and self.conclusion.begin()

    def _finalists(self) -> list[tuple[TrialRecord, int]]:
        return finalists(self.trials, self.objectives, self.parts.settings.finalists, self.parts.plans.seeds)

    def _is_cut_short(self) -> bool:
        """Whether something is left that would be trained, were there time."""
        return bool(self._waiting() or self.paused() or self.proposals.has_more or self._finalists())

    def _waiting(self) -> list[TrialRecord]:
        return [t for t in self.trials.values() if t.state == "planned" and t.trial not in self.places.running]

    def paused(self) -> list[int]:
        """Trials that wait."""
        return [trial.trial for trial in self.trials.values() if trial.state == "paused"]

    @property
    def is_late(self) -> bool:
        """Whether ``sweep.max_time`` is over."""
        most = self.parts.settings.max_time
        return most is not None and self.clock.now() - self.began > most * 60

    def _leaves(self) -> bool:
        """Whether everything is handed over, nobody will ask anything, and the driver may go."""
        if not self.parts.settings.detach or self._waiting() or self.paused() or self.proposals.has_more:
            return False
        running = self.places.running.items()
        return not any(self.questions.may_ask(self.trials[number], one.job.directory) for number, one in running)

    @property
    def failures(self) -> int:
        """Trials that have failed since this driver began, less those that were tried once more."""
        return self._failed() - self._failed_before

    def _failed(self) -> int:
        return sum(trial.state == "failed" for trial in self.trials.values())

    def _keep_limits(self) -> None:
        most = self.parts.settings.max_failures
        if most is not None and self.failures >= most:
            self.end("stopped", f"{self.failures} trials have failed (sweep.max_failures={most})")
