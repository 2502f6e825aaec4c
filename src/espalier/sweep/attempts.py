"""A trial is placed, and ends: what is written in its directory and in the record, in the order that a kill allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from espalier.config.compose import changed
from espalier.config.saved import read, write
from espalier.core.launching import Ended, Job, Placed
from espalier.core.outcome import Outcome
from espalier.core.record import SWEEP, Record, TrialRecord, trial_directory
from espalier.core.searching import Point
from espalier.core.trial import Trial
from espalier.sweep.definition import read_definition
from espalier.sweep.endings import Circumstances, Ending, ending_of, halved
from espalier.sweep.places import Places, Running
from espalier.sweep.plan import Planned
from espalier.sweep.trial_files import (
    announce_resume,
    end_of_log,
    is_prepared,
    outcome_of,
    prepare_trial,
    validations_of,
)


class Plans(Protocol):
    """What is needed of a planner."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Repeats of each configuration."""

    def at(self, point: Point, seed: int | None = None) -> Planned:
        """One trial, checked."""


class Attempts:
    """Places trials and judges their ends.

    Args:
        directory: of the sweep.
        rungs: for a whole trial of so many validations, after which of them it asks.
        objective: the metric that it asks with; empty: its task's.
        retries: placements more for a trial that was lost.
    """

    def __init__(
        self,
        directory: Path,
        record: Record,
        places: Places,
        plans: Plans,
        rungs: Callable[[int], tuple[int, ...]],
        objective: str,
        retries: int,
        now: Callable[[], float],
    ) -> None:
        self.directory, self.record, self.places, self.plans = directory, record, places, plans
        self._rungs, self._objective, self._retries, self._now = rungs, objective, retries, now
        self._planned: dict[int, Planned] = {}

    def planned(self, trial: TrialRecord) -> Planned:
        """Its plan, made once."""
        if trial.trial not in self._planned:
            self._planned[trial.trial] = self.plans.at(trial.point, trial.seed)
        return self._planned[trial.trial]

    def know(self, number: int, planned: Planned) -> None:
        """A plan that was made already."""
        self._planned[number] = planned

    def known(self, trial: TrialRecord) -> Planned | None:
        """Its plan, where it was made already."""
        return self._planned.get(trial.trial)

    def job(self, trial: TrialRecord) -> Job:
        """It as the launcher wants it; one that was begun before goes on from what lies there."""
        directory = trial_directory(self.directory, trial.trial)
        resume = trial.attempts > 0 or (directory / "metrics.jsonl").exists()
        return Job(directory, resume, self.planned(trial).hardware, {})

    def place(self, trial: TrialRecord) -> Placed:
        """Write its directory, hand it over, record where it is."""
        job = self.job(trial)
        if is_prepared(job.directory):
            announce_resume(job.directory)
        else:
            self._prepare(trial, job.directory)
        placed = self.places.place(trial.trial, job)
        self.record.write("running", trial.trial, slot=placed.slot, handle=dict(placed.handle))
        return placed

    def end(self, trial: TrialRecord, running: Running, ended: Ended) -> tuple[Ending, Outcome | None]:
        """What an attempt came to. Done ones, and those that wait, are for the caller to record."""
        outcome = outcome_of(running.job.directory)
        hardware = self.planned(trial).hardware
        known = Circumstances(
            cancelled=running.cancelled,
            lost=trial.lost,
            retries=self._retries,
            halvings=trial.halved,
            halves=hardware.get("oom") == "halve",
        )
        ending = ending_of(outcome, ended, known)
        cost = self.cost(trial, running, outcome)
        number = trial.trial
        if ending.kind in ("again", "lost", "halve"):
            if ending.kind == "halve":
                self._halve(trial, running.job.directory)
            counted = {"lost": trial.lost + (ending.kind == "lost"), "halved": trial.halved + (ending.kind == "halve")}
            self.record.write("again", number, why=ending.why, cost=cost, **counted)
        elif ending.kind in ("failed", "infeasible"):
            log = end_of_log(running.job.directory)
            diverged = {"diverged": True} if ending.diverged else {}
            self.record.write(ending.kind, number, why=ending.why, log=log, cost=cost, **diverged)
        return ending, outcome

    def cost(self, trial: TrialRecord, running: Running, outcome: Outcome | None) -> Mapping[str, Any]:
        """As the outcome says, and the time that slots were taken, all attempts together."""
        before = (trial.cost or {}).get("seconds", 0.0)
        told = {name: value for name, value in asdict(outcome.cost).items() if value} if outcome else {}
        return {**told, "seconds": round(before + max(0.0, self._now() - running.began), 3)}

    def _prepare(self, trial: TrialRecord, directory: Path) -> None:
        planned = self.planned(trial)
        experiment = planned.experiment
        is_first_seed = trial.seed == self.plans.seeds[0]
        rungs = self._rungs(validations_of(experiment.values.get("trainer") or {})) if is_first_seed else ()
        sweep, own = self.directory.name, f"{self._own}-{trial.trial:03d}"
        prepare_trial(
            experiment, directory, Trial(sweep, trial.trial, own, trial.name, trial.words, rungs, self._objective)
        )

    @cached_property
    def _own(self) -> str:
        """What no other sweep's trials have; of one that an earlier version began, the end of its directory's name."""
        known = read_definition(self.directory).id if (self.directory / SWEEP).exists() else ""
        return known or self.directory.name.rpartition("-")[2]

    def _halve(self, trial: TrialRecord, directory: Path) -> None:
        """The same global batch from twice as many micro-batches; told twice, it is halved once."""
        planned = self.planned(trial).experiment.values["trainer"]
        words = [f"trainer.{key}={value}" for key, value in halved(planned, trial.halved + 1).items()]
        write(changed(read(directory), words), directory)
