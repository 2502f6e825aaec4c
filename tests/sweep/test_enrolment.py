"""Trials get their numbers: each point and seed once, whatever happened before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import ConfigError, Fault
from espalier.core.record import read_record
from espalier.core.searching import Point
from espalier.sweep.plan import Planned
from espalier.sweep.takeover import take_over
from sweep.simulation import Life, Plans, Simulated, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")


class Picky(Plans):
    """Some corner of the space cannot be, until somebody mends it."""

    broken = True

    def at(self, point: Point, seed: int | None = None) -> Planned:
        if self.broken and point["x"] == 2.0:
            raise ConfigError(Fault("x=2.0", "is too much."))
        return super().at(point, seed)


def test_a_grid_that_goes_on_with_more_configurations_has_each_once(tmp_path: Path) -> None:
    seeds = (0, 1)
    for many in (2, 3):
        launcher = Simulated(Time(), 2, lambda number, _: Life())
        sweep = driver(tmp_path, launcher, choices(1.0, 2.0, 3.0), plans=Plans(seeds=seeds))
        take_over(sweep)
        sweep.enrolment.begin_grid([({"x": x}, seed) for seed in seeds for x in (1.0, 2.0, 3.0)[:many]])
        sweep.run()
    trials = read_record(tmp_path)
    assert [trial.state for trial in trials] == ["done"] * 6
    assert {(trial.point["x"], trial.seed) for trial in trials} == {(x, s) for x in (1.0, 2.0, 3.0) for s in seeds}
    assert [trial.configuration for trial in trials] == [0, 1, 0, 1, 4, 4]


def test_a_grid_that_was_being_recorded_when_its_driver_was_killed(tmp_path: Path) -> None:
    pairs = [({"x": x}, seed) for seed in (0, 1) for x in (1.0, 2.0)]
    for many in (2, 4):
        sweep = driver(tmp_path, Simulated(Time(), 1, lambda *_: Life()), choices(1.0, 2.0), plans=Plans(seeds=(0, 1)))
        sweep.enrolment.begin_grid(pairs[:many])
        sweep.record.close()
    assert [(trial.configuration, trial.seed) for trial in read_record(tmp_path)] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_hundreds_of_equal_ones_in_a_row(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda number, _: Life())
    sweep = driver(tmp_path, launcher, choices(*(1000.0 * n for n in range(600))))
    sweep.run()
    states = [trial.state for trial in read_record(tmp_path)]
    assert states == ["done", *["duplicate"] * 599]


def test_what_cannot_be_has_failed_and_is_tried_again_when_asked(tmp_path: Path) -> None:
    plans = Picky()
    launcher = Simulated(Time(), 1, lambda number, _: Life())
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0, 3.0), plans=plans)
    sweep.run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done", "failed", "done"]
    assert (1, "failed") in sweep.watcher.states  # type: ignore[attr-defined]
    for broken, state in ((True, "failed"), (False, "done")):
        plans.broken = broken
        sweep.record.write("again", 1, why="tried once more", lost=0)
        sweep.record.close()
        launcher = Simulated(Time(), 1, lambda number, _: Life())
        sweep = driver(tmp_path, launcher, choices(1.0, 2.0, 3.0), plans=plans)
        take_over(sweep)
        sweep.run()
        trial = read_record(tmp_path)[1]
        assert (trial.state, bool(trial.digest)) == (state, not broken)
    assert [number for number, _, _ in launcher.placed] == [1]


def test_too_many_that_cannot_be_end_the_sweep(tmp_path: Path) -> None:
    class Never(Plans):
        def at(self, point: Point, seed: int | None = None) -> Any:
            raise ConfigError(Fault("x", "is nothing."))

    sweep = driver(tmp_path, Simulated(Time(), 1, lambda *_: Life()), choices(*map(float, range(9))), plans=Never(),
                   max_failures=2)  # fmt: skip
    sweep.run()
    assert [trial.state for trial in read_record(tmp_path)] == ["failed"] * 2 and sweep.ending == "stopped"
