from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import Fault
from espalier.core.launching import Job
from espalier.core.record import read_record
from espalier.core.searching import Point
from espalier.pruning.asha import Asha
from espalier.sweep.plan import Planned
from sweep.simulation import Life, Plans, Simulated, Space, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")


class Shrinking(Simulated):
    """A cluster whose only node with two GPUs goes away after the third trial."""

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        gone = len(self.placed) >= 3 and any(job["devices"] == 2 for job in jobs)
        return [Fault("hardware.devices=2", "no node has 2 GPUs.")] if gone else []

    def fits(self, job: Job, /) -> bool:
        return super().fits(job) and not self.faults([job.hardware])


class TwoOfThree(Plans):
    """Every third trial wants two GPUs."""

    def at(self, point: Point, seed: int | None = None) -> Planned:
        return replace(super().at(point, seed), hardware={"devices": 2 if point["x"] % 3 == 1 else 1})


def test_who_fits_nowhere_any_more_holds_nobody_up(tmp_path: Path) -> None:
    launcher = Shrinking(Time(), 2, lambda number, _: Life(curve=[number / 10]))
    sweep = driver(tmp_path, launcher, choices(*map(float, range(9))), plans=TwoOfThree())
    sweep.run()
    trials = read_record(tmp_path)
    assert [trial.state for trial in trials] == [
        "done", "done", "done", "done", "failed", "done", "done", "failed", "done",
    ]  # fmt: skip
    assert {trial.why for trial in trials if trial.state == "failed"} == {"hardware.devices=2  no node has 2 GPUs."}


class Alone(Shrinking):
    """It is gone before anybody asks to go on; so are all others for one look, as while a cluster starts anew."""

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        return [Fault("hardware.devices=1", "no node.")] if 20 < self.time.now < 400 else []


def test_one_that_was_there_again_at_the_next_look_lost_nobody(tmp_path: Path) -> None:
    launcher = Alone(Time(), 1, lambda *_: Life(seconds=10))
    driver(tmp_path, launcher, choices(1.0, 2.0, 3.0, 4.0)).run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done"] * 4


def test_who_has_earned_to_go_on_and_fits_nowhere_any_more_holds_nobody_up_either(tmp_path: Path) -> None:
    class Gone(Simulated):
        def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
            gone = any(resume for _, _, resume in self.placed) or len(self.placed) >= 4
            return [Fault("hardware.devices=2", "no node has 2 GPUs.")] * (gone and jobs[0]["devices"] == 2)

        def fits(self, job: Job, /) -> bool:
            return super().fits(job) and not self.faults([job.hardware])

    launcher = Gone(Time(), 1, lambda number, _: Life(curve=[0.9 if number == 1 else 0.1 * (number % 3)] * 9))
    sweep = driver(
        tmp_path, launcher, choices(*map(float, range(9))), plans=TwoOfThree(),
        pruning=Asha(min_validations=1, reduction=3),
    )  # fmt: skip
    sweep.run()
    trials = read_record(tmp_path)
    assert len(trials) == 9 and {trial.state for trial in trials} == {"done", "stopped", "failed"}
    assert trials[1].why == "hardware.devices=2  no node has 2 GPUs."
