"""The winner is tested once, when all others have ended: no trial sees the test split before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from espalier.core.launching import Ended, Job
from espalier.core.outcome import Outcome
from espalier.core.record import trial_directory
from espalier.sweep.places import Running
from espalier.sweep.trial_files import end_of_log, is_alive, outcome_of

if TYPE_CHECKING:
    from espalier.sweep.driver import Driver

CONCLUDED = "concluded"  # in a trial's outcome, once it is tested


class Conclusion:
    """Tests every seed of the best configuration, where the trials were placed.

    Attributes:
        faults: trial -> why it could not be tested.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._waiting: list[int] = []
        self._begun: set[int] = set()
        self.faults: dict[int, str] = {}

    def begin(self) -> bool:
        """Choose the winner; whether there is anything to test that was not tried yet."""
        best = next(iter(self._driver.standings()), None)
        for number in best.trials if best else ():
            if number in self._begun:
                continue
            self._begun.add(number)
            outcome = outcome_of(trial_directory(self._driver.directory, number))
            if outcome and outcome.summary.get(CONCLUDED):
                self._record(number, outcome)  # an earlier driver may have been killed before it could
            elif outcome:
                self._waiting.append(number)
        return bool(self._waiting)

    def place(self) -> bool:
        """Hand over those that wait, as there are places; whether there were any."""
        placed = False
        for number in list(self._waiting):
            driver = self._driver
            directory = trial_directory(driver.directory, number)
            job = Job(directory, False, driver.attempts.planned(driver.trials[number]).hardware, {}, "conclude")
            if is_alive(directory, outcome_of(directory)):  # an earlier driver has begun it
                driver.places.await_unknown(number, job, driver.clock.now())
                self._waiting.remove(number)
                placed = True
                continue
            if not driver.places.fits(job):
                break
            driver.places.place(number, job)
            self._waiting.remove(number)
            placed = True
        return placed

    def take_end(self, number: int, running: Running, ended: Ended) -> None:
        """Record the test's metrics, or why there are none."""
        outcome = outcome_of(running.job.directory)
        if outcome and outcome.summary.get(CONCLUDED):
            self._record(number, outcome)
        elif running.placed is None:
            self._waiting.append(number)
        elif not running.cancelled:
            self.faults[number] = ended.why or end_of_log(running.job.directory).rpartition("\n")[2]

    def _record(self, number: int, outcome: Outcome) -> None:
        """Once."""
        metrics = {name: value for name, value in outcome.metrics.items() if math.isfinite(value)}
        if metrics.items() - (self._driver.trials[number].metrics or {}).items():
            self._driver.record.write("tested", number, metrics=metrics)
