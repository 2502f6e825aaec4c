"""Who takes a free place: a trial that has earned to go on, one that was planned, or a new proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from espalier.core.launching import Job
from espalier.core.record import TrialRecord, trial_directory
from espalier.sweep.stranded import Stranded

if TYPE_CHECKING:
    from espalier.sweep.driver import Driver


class Turns:
    """Asked for the next trial until there is no place for it, or nobody left."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._stranded = Stranded(driver.parts.launcher, driver.clock.now)
        self._typical: Job | None = None
        self._is_idle = False

    def next(self) -> int | None:
        """The trial to place now; of a search it may be asked for, and recorded, here."""
        driver = self._driver
        if driver.is_late:
            return None
        earned = driver.questions.promoted(self.paused(), idle=self._is_idle)
        if earned is not None:
            return self._go_on(earned)
        while not driver.ending:
            if waiting := self.waiting():
                return self._fitting(waiting)
            if (self._typical and not driver.places.fits(self._typical)) or not driver.ask():
                return None
            driver.keep_limits()
        return None

    def waiting(self) -> list[TrialRecord]:
        """Trials that are planned."""
        driver = self._driver
        return [t for t in driver.trials.values() if t.state == "planned" and t.trial not in driver.places.running]

    def paused(self) -> list[int]:
        """Trials that wait at a rung."""
        return [trial.trial for trial in self._driver.trials.values() if trial.state == "paused"]

    def idle(self) -> bool:
        """Nothing runs, and nothing is left to begin: whether a paused trial may go on for that."""
        self._is_idle = self._driver.questions.promoted(self.paused(), idle=True) is not None
        return self._is_idle

    def _go_on(self, earned: int) -> int | None:
        driver = self._driver
        trial = driver.trials[earned]
        if not driver.places.fits(driver.attempts.job(trial)):
            self._strand([trial])
            return None
        driver.questions.let_go_on(trial_directory(driver.directory, earned))
        self._is_idle = False
        self._stranded.moved()
        return earned

    def _fitting(self, waiting: Sequence[TrialRecord]) -> int | None:
        """The first of those that wait for which there is a place."""
        seen: list[Mapping[str, Any]] = []
        for trial in waiting:
            hardware = self._driver.attempts.planned(trial).hardware
            if hardware in seen:
                continue
            job = self._driver.attempts.job(trial)
            if self._driver.places.fits(job):
                self._typical = job
                self._stranded.moved()
                return trial.trial
            seen.append(hardware)
        self._strand(waiting)
        return None

    def _strand(self, waiting: Sequence[TrialRecord]) -> None:
        """Record those of them as failed that no machine can hold any more."""
        driver = self._driver
        asked = ((trial.trial, driver.attempts.planned(trial).hardware) for trial in waiting)
        for number, why in self._stranded.look(asked).items():
            driver.take_failed(number, why)
