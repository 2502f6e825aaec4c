"""A driver begins where another was ended, at whatever moment: from the record and what trials say themselves."""

from __future__ import annotations

import time
from pathlib import Path

from espalier.core.launching import Ended, Job, Placed
from espalier.core.outcome import Outcome
from espalier.core.record import TrialRecord, read_events, trial_directory
from espalier.core.rundir import OUTCOME
from espalier.core.trial import read_ask
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
    for trial in list(driver.trials.values()):
        if trial.state == "planned" and not trial.digest and not trial.attempts:
            driver.enrolment.again(trial)
    driver.proposals.take_up(driver.trials, driver.objectives)
    begun = _begun(driver.directory)
    for trial in list(driver.trials.values()):
        if trial.state == "running":
            _take_running(driver, trial, begun.get(trial.trial, time.time()))
        elif trial.state in ("planned", "paused"):
            _take_waiting(driver, trial)
    if driver.proposals.has_more:  # more are tried than were: who was cut may earn it after all
        for trial in list(driver.trials.values()):
            if trial.state == "stopped" and trial.rungs:
                driver.record.write("paused", trial.trial, why="")


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


def _take_waiting(driver: Driver, trial: TrialRecord) -> None:
    """Not placed by the record: unless the driver was killed between the one and the other."""
    directory = trial_directory(driver.directory, trial.trial)
    outcome = outcome_of(directory)
    if outcome is None:
        return
    lives = is_alive(directory, outcome) or (outcome.status == "running" and _is_young(directory))
    if not (lives or _is_news(trial, directory, outcome)):
        return
    driver.record.write("running", trial.trial, slot="elsewhere", handle=None)
    job = driver.attempts.job(driver.trials[trial.trial])
    if lives:
        driver.places.await_unknown(trial.trial, job, driver.clock.now())
    else:
        _take_ended(driver, driver.trials[trial.trial], job, outcome)


def _is_news(trial: TrialRecord, directory: Path, outcome: Outcome) -> bool:
    """Whether what it says is the end of an attempt that the record has not."""
    if outcome.status in ("done", "running"):
        return outcome.status == "done"
    if trial.state == "planned":  # of one that was placed before, it is the end of that attempt, and known
        return not trial.attempts
    if outcome.status != "paused":
        return True
    ask = read_ask(directory)
    return ask is not None and ask.validations not in {validations for validations, _ in trial.rungs}


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
