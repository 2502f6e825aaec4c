from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from espalier.core.launching import Placed
from espalier.core.record import Record, read_record
from espalier.core.searching import Point
from espalier.pruning.asha import Asha
from espalier.pruning.none import Unpruned
from espalier.sweep import conclusion, places, takeover
from espalier.sweep.driver import Driver
from espalier.sweep.takeover import take_over
from sweep.simulation import Life, Plans, Simulated, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")
CURVES = {number: [0.1 * number + 0.01 * n for n in range(4)] for number in range(4)}


class Killed(BaseException):
    """The driver is no more."""


def begun(directory: Path, launcher: Simulated, pruning: Any = None) -> Driver:
    plans, rule = Plans(seeds=(0, 1), validations=4), pruning or Asha(min_validations=1, reduction=2)
    space = choices(0.0, 1.0, 2.0, 3.0)
    made = driver(directory, launcher, space, pruning=rule, plans=plans, finalists=1, test=True)
    take_over(made)
    return made


def life(number: int, attempt: int) -> Life:
    return Life(curve=CURVES.get(number, [0.3] * 4), seconds=40)


def table(directory: Path) -> list[Mapping[str, Any]]:
    """What the final table tells, without times and places."""
    trials = sorted(read_record(directory), key=lambda trial: (trial.configuration, trial.seed))
    return [
        {"trial": t.trial, "state": t.state, "values": t.values, "metrics": t.metrics, "seed": t.seed} for t in trials
    ]


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> Callable[[Simulated], None]:
    """Whether a trial's process is there is seen from the simulation, as it is from locks and process numbers."""

    def of(launcher: Simulated) -> None:
        for module in (conclusion, places, takeover):
            monkeypatch.setattr(module, "is_alive", lambda directory, _: launcher.is_alive(int(directory.name)))

    return of


def events(tmp_path: Path) -> int:
    launcher = Simulated(Time(), 2, life)
    begun(tmp_path / "whole", launcher).run()
    return len((tmp_path / "whole" / "record.jsonl").read_text().splitlines())


@pytest.mark.parametrize("processes", ["live on", "die too"])
def test_killed_after_any_event_and_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: Callable[[Simulated], None], processes: str
) -> None:
    many = events(tmp_path)
    assert many > 20
    original = Record.write
    for number in range(1, many, 1 if processes == "live on" else 3):
        counter = itertools.count(1)

        def write(self: Record, *given: Any, at: int = number, counter: Any = counter, **more: Any) -> None:
            original(self, *given, **more)
            if next(counter) == at:
                raise Killed

        launcher = Simulated(Time(), 2, life)
        lives(launcher)
        place = tmp_path / f"{processes}-{number}"
        monkeypatch.setattr(Record, "write", write)
        with pytest.raises(Killed):
            begun(place, launcher).run()
        monkeypatch.setattr(Record, "write", original)
        if processes == "die too":
            launcher.processes.clear()
        begun(place, launcher).run()
        assert_like_the_undisturbed(place, tmp_path / "whole", launcher)


def assert_like_the_undisturbed(place: Path, whole: Path, launcher: Simulated) -> None:
    """Every trial exactly once, and the best the same; which others were cut may depend on who came first."""
    trials = read_record(place)
    assert [trial.trial for trial in trials] == list(range(len(trials)))
    assert len({(trial.configuration, trial.seed) for trial in trials}) == len(trials)
    assert {trial.state for trial in trials} <= {"done", "stopped"}
    lines = (place / "record.jsonl").read_text().splitlines()
    done = [line for line in lines if '"event": "done"' in line]
    assert len(done) == len({line.partition('"at"')[0] for line in done})
    ours, theirs = ([row for row in table(p) if row["trial"] in (3, 4)] for p in (place, whole))
    assert ours == theirs
    fresh = [number for number, verb, resume in launcher.placed if verb == "run" and not resume]
    assert len(fresh) == len(set(fresh))


@pytest.mark.parametrize("fate", ["lives", "has ended", "died"])
def test_killed_between_the_placing_and_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: Callable[[Simulated], None], fate: str
) -> None:
    launcher = Simulated(Time(), 2, life)
    lives(launcher)
    submit = launcher.submit

    def killed(job: Any) -> Any:
        submit(job)
        raise Killed

    monkeypatch.setattr(launcher, "submit", killed)
    with pytest.raises(Killed):
        begun(tmp_path / "s", launcher, Unpruned()).run()
    monkeypatch.setattr(launcher, "submit", submit)
    assert read_record(tmp_path / "s")[0].state == "planned" and launcher.processes
    if fate == "has ended":
        launcher.time.sleep(100)
        assert not launcher.is_alive(0)
    elif fate == "died":
        launcher.processes.clear()
    again = begun(tmp_path / "s", launcher, Unpruned())
    again.run()
    first = read_record(tmp_path / "s")[0]
    assert (first.state, first.attempts) == ("done", 2 if fate == "died" else 1)
    assert {trial.state for trial in again.trials.values()} == {"done"}


@pytest.mark.parametrize("fate", ["lives", "is done", "asks again", "was interrupted", "died"])
def test_killed_between_letting_a_trial_go_on_and_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: Callable[[Simulated], None], fate: str
) -> None:
    """The record says that it is paused, and it trains, or has trained."""
    launcher = Simulated(Time(), 1, life)
    lives(launcher)
    submit = launcher.submit

    def killed(job: Any) -> Any:
        placed = submit(job)
        if job.resume:
            raise Killed
        return placed

    rule = Asha(min_validations=1, reduction=2)
    monkeypatch.setattr(launcher, "submit", killed)
    with pytest.raises(Killed):
        begun(tmp_path / "s", launcher, rule).run()
    monkeypatch.setattr(launcher, "submit", submit)
    (number,) = launcher.processes
    assert read_record(tmp_path / "s")[number].state == "paused"
    if fate == "is done":
        launcher.processes[number].life = Life(curve=[0.9], seconds=1)
    elif fate == "was interrupted":
        launcher.cancel(Placed("", {"trial": number}), now=False)
    if fate != "lives":
        launcher.time.sleep(300)
        asks = launcher.is_alive(number)
        assert asks == (fate in ("asks again", "died"))
    if fate == "died":
        launcher.processes.clear()
    again = begun(tmp_path / "s", launcher, rule)
    again.run()
    whole = read_record(tmp_path / "s")
    assert {trial.state for trial in whole} <= {"done", "stopped"}
    begins = [n for n, verb, resume in launcher.placed if verb == "run" and not resume]
    assert len(begins) == len(set(begins))


def test_who_was_cut_may_earn_it_when_more_are_tried(tmp_path: Path) -> None:
    """As in a sweep that was to try so many from the beginning."""
    curves = {n: [value] * 4 for n, value in enumerate([0.9, 0.8, 0.1, 0.2, 0.3, 0.4, 0.15, 0.25])}
    done: dict[str, list[int]] = {}
    for name, parts in (("whole", [8]), ("twice", [4, 8])):
        for many in parts:
            launcher = Simulated(Time(), 1, lambda number, _: Life(curve=curves[number], seconds=40))
            rule, plans = Asha(min_validations=1, reduction=4), Plans(validations=4)
            sweep = driver(tmp_path / name, launcher, choices(*map(float, range(8))), pruning=rule, plans=plans,
                           trials=many)  # fmt: skip
            take_over(sweep)
            sweep.run()
        done[name] = [trial.trial for trial in read_record(tmp_path / name) if trial.state == "done"]
    assert done["twice"] == done["whole"] == [0, 1]


def test_trials_that_never_began_are_not_composed(tmp_path: Path) -> None:
    class Counting(Plans):
        made = 0

        def at(self, point: Point, seed: int | None = None) -> Any:
            self.made += 1
            return super().at(point, seed)

    space = choices(*map(float, range(50)))
    launcher = Simulated(Time(), 1, life)
    first = driver(tmp_path, launcher, space)
    first.enrolment.begin_grid([({"x": float(n)}, 0) for n in range(50)])
    plans = Counting()
    take_over(driver(tmp_path, launcher, space, plans=plans))
    assert plans.made == 0
