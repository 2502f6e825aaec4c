"""A driver begins where another was ended, at whatever moment: from the record and what trials say themselves."""

from __future__ import annotations

import time
from pathlib import Path

from espalier.core.launching import Ended, Job, Placed
from espalier.core.outcome import Outcome
from espalier.core.record import TrialRecord, read_events, trial_directory
from espalier.core.rundir import OUTCOME
from espalier.sweep.driver import Driver
from espalier.sweep.places import Running
from espalier.sweep.trial_files import is_alive, outcome_of

_YOUNG = 15.0  # seconds in which a process may not have said yet that it lives


def take_over(driver: Driver) -> None:
    """Tell the search what is known, take up trials that run, judge those that ended meanwhile."""
    for trial in driver.trials.values():
        if trial.attempts:
            driver.learn(outcome_of(trial_directory(driver.directory, trial.trial)))
            if driver.objectives != driver.asked_objectives:
                break
    driver.proposals.take_up(driver.trials, driver.objectives)
    begun = _begun(driver.directory)
    for trial in list(driver.trials.values()):
        if trial.state == "running":
            _take_running(driver, trial, begun.get(trial.trial, time.time()))
        elif trial.state == "planned":
            _take_planned(driver, trial)


def _take_running(driver: Driver, trial: TrialRecord, at: float) -> None:
    """Placed by the record: it lives, or it has ended."""
    job = driver.attempts.job(trial)
    began = driver.clock.now() - max(0.0, time.time() - at)
    if trial.handle is not None:
        placed = Placed(trial.slot, trial.handle)
        if driver.places.reattach(trial.trial, job, placed, began):
            return
    outcome = outcome_of(job.directory)
    if is_alive(job.directory, outcome) or trial.handle is None:
        driver.places.await_unknown(trial.trial, job, began)
        return
    _take_ended(driver, trial, job, outcome)


def _take_planned(driver: Driver, trial: TrialRecord) -> None:
    """Not placed by the record: unless the driver was killed between the one and the other."""
    job = driver.attempts.job(trial)
    outcome = outcome_of(job.directory)
    if outcome is None:
        return
    lives = is_alive(job.directory, outcome) or (outcome.status == "running" and _is_young(job.directory))
    # Of one that was placed before, an end that is no success is the end of that attempt, and known.
    has_ended = outcome.status == "done" or (outcome.status != "running" and not trial.attempts)
    if not (lives or has_ended):
        return
    driver.record.write("running", trial.trial, slot="elsewhere", handle=None)
    if lives:
        driver.places.await_unknown(trial.trial, job, driver.clock.now())
    else:
        _take_ended(driver, driver.trials[trial.trial], job, outcome)


def _take_ended(driver: Driver, trial: TrialRecord, job: Job, outcome: Outcome | None) -> None:
    """How long it held its place, nobody saw; its own clock did."""
    seconds = outcome.cost.wall_seconds - (trial.cost or {}).get("seconds", 0.0) if outcome else 0.0
    running = Running(job, None, driver.clock.now() - max(0.0, seconds), cancelled=True)
    driver.take_end(trial.trial, running, Ended(1, "it ended with its driver", lost=True))


def _is_young(directory: Path) -> bool:
    return time.time() - (directory / OUTCOME).stat().st_mtime < _YOUNG


def _begun(directory: Path) -> dict[int, float]:
    """Trial -> when it was placed last."""
    return {event["trial"]: event["at"] for event in read_events(directory) if event["event"] == "running"}
