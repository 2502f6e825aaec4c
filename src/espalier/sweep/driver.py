"""The loop of a sweep: ask, place, watch, tell. A place that falls free gets the next trial at once, without a barrier.

It knows the parts by their interfaces alone, and the time by the clock it is given: a simulated launcher drives it as
well as a cluster does. Everything it decides stands in the record before it is done, so that it may be killed anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from espalier.config.dimensions import words_of
from espalier.core.errors import UserError
from espalier.core.launching import Ended, Job
from espalier.core.outcome import Outcome
from espalier.core.record import Record, TrialRecord, trial_directory
from espalier.core.searching import Point, identity
from espalier.sweep.attempts import Attempts
from espalier.sweep.conclusion import Conclusion
from espalier.sweep.objectives import Objective, are_finite, read_objectives, settled, values_of
from espalier.sweep.parts import Clock, Parts, Watcher
from espalier.sweep.places import Places, Running
from espalier.sweep.proposals import Proposals
from espalier.sweep.questions import Questions
from espalier.sweep.standings import Standing, finalists, standings
from espalier.sweep.trial_files import outcome_of

POLL = 0.05  # seconds


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
        self.questions = Questions(parts.pruning, record)
        self.attempts = Attempts(
            directory, record, self.places, parts.plans, parts.pruning.rungs, parts.settings.retries, clock.now
        )
        self.asked_objectives = read_objectives(parts.settings.objectives)
        self.objectives: list[Objective] = self.asked_objectives
        self.proposals = Proposals(parts.search, parts.settings.trials, self.asked_objectives)
        self.conclusion = Conclusion(self)
        self.began = clock.now()
        self.ending = self.why = ""
        self.fault: UserError | None = None
        self._failed_before = 0
        self._typical: Job | None = None
        self._is_idle = False
        self._digests = {t.digest: t.trial for t in reversed(record.trials.values()) if t.same_as is None and t.digest}

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
        self._failed_before = sum(trial.state == "failed" for trial in self.trials.values())
        while True:
            moved = self._watch()
            self._keep_limits()
            moved |= self._place()
            self.watcher.look(self)
            if not self.places.running and not moved and (self.ending or not self.has_more()):
                break
            if self.places.running and self._leaves():
                self.ending, self.why = "detached", "everything is handed over"
                break
            self.clock.sleep(POLL)
        if not self.ending and self.is_late and (self._waiting() or self.paused() or not self.proposals.is_over):
            self.ending, self.why = "stopped", f"sweep.max_time={self.parts.settings.max_time:g} minutes are over"
        if self.fault:
            raise self.fault

    def plan(self, point: Point, seed: int, configuration: int | None = None) -> int:
        """Record a trial, under the next number; one that is the same as another never runs."""
        number = len(self.trials)
        own = number if configuration is None else configuration
        planned = self.parts.plans.at(point, seed)
        told: dict[str, Any] = {
            "configuration": own, "point": dict(point), "seed": planned.seed, "words": list(planned.words),
            "name": planned.name, "digest": planned.digest,
        }  # fmt: skip
        same = self._digests.setdefault(planned.digest, number)
        if same == number:
            self.attempts.know(number, planned)
            self.record.write("planned", number, **told)
        else:
            self.record.write("duplicate", number, same_as=same, **told)
        return number

    def begin_grid(self, pairs: Sequence[tuple[Point, int]]) -> None:
        """Record every trial of a grid that is not recorded yet."""
        firsts = {identity(trial.point): trial.configuration for trial in self.trials.values()}
        for point, seed in pairs[len(self.trials) :]:
            name = identity(point)
            firsts.setdefault(name, len(self.trials))
            self.plan(point, seed, firsts[name])
        self.proposals.is_over = True

    def begin_points(self) -> None:
        """Ask a grid for all its points, and record the first seed of each."""
        while self._ask():
            pass

    def learn(self, outcome: Outcome | None) -> None:
        """What a trial says of its objective."""
        if outcome and outcome.objective:
            self.objectives = settled(self.asked_objectives, outcome)
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
        """Record the values of a trial that came to its end."""
        try:
            values = values_of(self.objectives, outcome)
        except UserError as error:
            self.fault = self.fault or error
            self.record.write("again", trial.trial, why="no such objective", cost=cost)
            self.end("stopped", "sweep.objectives names what no trial tells")
            return
        if not are_finite(values):
            why = f"diverged: {self.objectives[0].name} is {values[0]}"
            self.record.write("failed", trial.trial, why=why, cost=cost)
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
        waiting = self._waiting()
        seen: list[Mapping[str, Any]] = []
        for trial in waiting:
            job = self.attempts.job(trial)
            if job.hardware not in seen:
                if self.places.fits(job):
                    self._typical = job
                    return trial.trial
                seen.append(job.hardware)
        if waiting or (self._typical and not self.places.fits(self._typical)) or not self._ask():
            return None
        return self._next()

    def _ask(self) -> bool:
        """Plan what the search proposes; whether it proposes anything."""
        number = len(self.trials)
        point = self.proposals.next(number)
        if point is None:
            return False
        seed = self.parts.plans.seeds[0]
        try:
            self.plan(point, seed)
        except UserError as error:  # a corner of the space that was not looked at before
            told = {"configuration": number, "point": dict(point), "seed": seed, "words": list(words_of(point))}
            self.record.write("planned", number, **told, name=" ".join(words_of(point)))
            self.record.write("failed", number, why=str(error))
        same = self.trials[number].same_as
        told_of = self.trials[number if same is None else same]
        self.proposals.tell(self.trials, told_of, self.objectives)
        return True

    def has_more(self) -> bool:
        """Nothing runs: whether there is more to do."""
        if not self.is_late:
            if self._waiting() or not self.proposals.is_over:
                return True
            paused = self.paused()
            self._is_idle = self.questions.promoted(paused, idle=True) is not None
            if self._is_idle:
                return True
            for number in paused:
                last = self.trials[number].rungs[-1][0] if self.trials[number].rungs else 0
                self.record.write("stopped", number, why=f"cut after validation {last}")
            seeds, most = self.parts.plans.seeds, self.parts.settings.finalists
            for first, seed in finalists(self.trials, self.objectives, most, seeds):
                self.plan(first.point, seed, first.configuration)
            if self._waiting():
                return True
        return self.parts.settings.test and self.conclusion.begin()

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
        """Whether everything is handed over, and the driver may go."""
        return self.parts.settings.detach and not self._waiting() and not self.paused() and self.proposals.is_over

    def _keep_limits(self) -> None:
        most = self.parts.settings.max_failures
        failed = sum(trial.state == "failed" for trial in self.trials.values()) - self._failed_before
        if most is not None and failed >= most:
            self.end("stopped", f"{failed} trials have failed (sweep.max_failures={most})")
