from __future__ import annotations

import errno
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import UserError
from espalier.core.launching import Ended
from espalier.core.outcome import Cost, Outcome
from espalier.core.record import Record, read_record
from espalier.core.searching import Dimension
from espalier.core.searching import Told as TellMe
from espalier.pruning.asha import Asha
from espalier.pruning.patience import Patience
from espalier.search.grid import Grid
from espalier.search.random import Random
from espalier.sweep import attempts, questions
from espalier.sweep.again import again
from espalier.sweep.driver import Driver
from espalier.sweep.takeover import take_over
from sweep.simulation import Life, Plans, Quiet, Simulated, Space, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")


def test_a_place_that_falls_free_gets_the_next_trial_at_once(tmp_path: Path) -> None:
    draw = random.Random(0)
    seconds = [draw.lognormvariate(4.0, 0.8) for _ in range(200)]
    time = Time()
    launcher = Simulated(time, 8, lambda number, _: Life(seconds=seconds[number]))
    sweep = driver(tmp_path, launcher, Space(Dimension("x", low=0.0, high=1.0)), search=Random(), trials=200)
    sweep.run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done"] * 200
    last = max(begin for _, begin, _, _ in launcher.busy)
    used = sum(min(end, last) - begin for _, begin, end, _ in launcher.busy)
    assert 1 - used / (8 * last) <= 0.03
    assert batch_idle(seconds, 8) > 0.25


def test_a_grid_is_recorded_whole_before_the_first_trial(tmp_path: Path) -> None:
    time = Time()
    launcher = Simulated(time, 2, lambda number, _: Life(curve=[0.1 * number]))
    plans = Plans(seeds=(0, 1))
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), plans=plans)
    sweep.enrolment.begin_grid([({"x": x}, seed) for seed in plans.seeds for x in (1.0, 2.0)])
    assert [trial.state for trial in read_record(tmp_path)] == ["planned"] * 4
    assert launcher.placed == []
    sweep.run()
    trials = read_record(tmp_path)
    assert [trial.configuration for trial in trials] == [0, 1, 0, 1]
    assert [trial.values for trial in trials] == [(0.0,), (0.1,), (0.2,), (pytest.approx(0.3),)]
    (best, _) = sweep.standings()
    assert (best.configuration, best.trials, best.means) == (1, (1, 3), (pytest.approx(0.2),))


def test_equal_configs_run_once_and_are_told_twice(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda number, _: Life(curve=[0.5]))
    search = Told()
    sweep = driver(tmp_path, launcher, choices(1.0, 1001.0, 2.0), search=search)
    sweep.run()
    assert [(trial.state, trial.same_as) for trial in read_record(tmp_path)] == [
        ("done", None), ("duplicate", 0), ("done", None),
    ]  # fmt: skip
    assert [number for number, _, _ in launcher.placed] == [0, 2]
    assert sorted(search.told) == [(0, "done", (0.5,)), (1, "done", (0.5,)), (2, "done", (0.5,))]


def test_further_seeds_are_for_finalists(tmp_path: Path) -> None:
    curves = {0: 0.1, 1: 0.9, 2: 0.8, 3: 0.2}
    launcher = Simulated(Time(), 2, lambda number, _: Life(curve=[curves.get(number, 0.7)]))
    sweep = driver(
        tmp_path, launcher, choices(0.0, 1.0, 2.0, 3.0), plans=Plans(seeds=(5, 6, 7)), finalists=2, test=True
    )
    sweep.run()
    trials = read_record(tmp_path)
    assert [(trial.configuration, trial.seed) for trial in trials[4:]] == [(1, 6), (1, 7), (2, 6), (2, 7)]
    assert {number for number, verb, _ in launcher.placed if verb == "conclude"} == {1, 4, 5}
    assert [(trials[number].metrics or {})["test/accuracy"] for number in (1, 4)] == [pytest.approx(0.89), 0.69]
    assert all("test/accuracy" not in (trial.metrics or {}) for trial in trials if trial.configuration != 1)


def test_a_rule_cuts_and_promotes(tmp_path: Path) -> None:
    last = [0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    launcher = Simulated(Time(), 1, lambda number, _: Life(curve=[last[number] + 0.001 * n for n in range(9)]))
    search = Told()
    sweep = driver(
        tmp_path, launcher, choices(*map(float, range(9))), search=search,
        pruning=Asha(min_validations=1, reduction=3),
    )  # fmt: skip
    sweep.run()
    trials = read_record(tmp_path)
    assert {trial.state for trial in trials} == {"done", "stopped"}
    assert trials[0].state == "done" and trials[0].values == (pytest.approx(0.908),)
    assert len({(number, verb) for number, verb, resume in launcher.placed if not resume}) == 9
    again = [number for number, _, resume in launcher.placed if resume]
    assert again and max(map(again.count, again)) <= 2  # rungs after 1 and 3 validations: paused twice at most
    assert all(len(trial.rungs) == len({validations for validations, _ in trial.rungs}) for trial in trials)
    assert {number for number, _, _ in search.told} == set(range(9))
    cut = [trial for trial in trials if trial.state == "stopped"]
    assert all(trial.rungs and trial.why.startswith("cut after validation") for trial in cut)


@pytest.mark.parametrize(
    ("life", "state", "why", "told"),
    [
        (Life(ends="failed", error="ValueError: no", ended=Ended(1)), "failed", "ValueError: no", "failed"),
        (Life(ends="running", ended=Ended(137, "killed by SIGKILL")), "failed", "killed by SIGKILL", "failed"),
        (Life(ends="running", ended=Ended(139)), "failed", "its process was ended by signal 11", "failed"),
        (Life(ends="failed", error="out of memory: OutOfMemoryError: CUDA", ended=Ended(1)), "infeasible",
         "out of memory: OutOfMemoryError: CUDA", "infeasible"),
        (Life(ends="running", ended=Ended(137, "killed", out_of_memory=True)), "infeasible", "killed", "infeasible"),
        (Life(curve=[float("nan")]), "failed", "diverged: validation/accuracy is nan", "infeasible"),
        (Life(ends="failed", error="DivergedError: 3 bad steps", ended=Ended(1)), "failed",
         "DivergedError: 3 bad steps", "infeasible"),
    ],
)  # fmt: skip
def test_a_trial_that_dies_costs_itself_only(tmp_path: Path, life: Life, state: str, why: str, told: str) -> None:
    launcher = Simulated(Time(), 1, lambda number, _: life if number == 0 else Life())
    search = Told()
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), search=search)
    sweep.run()
    first, second = read_record(tmp_path)
    assert (first.state, first.why, second.state) == (state, why, "done")
    assert [row[:2] for row in search.told] == [(0, told), (1, "done")]


def test_a_lost_trial_goes_on_elsewhere_so_many_times(tmp_path: Path) -> None:
    def life(number: int, attempt: int) -> Life:
        lost = Life(ends="running", ended=Ended(1, "node n2 was lost", lost=True))
        return Life() if number == 1 and attempt == 3 else lost

    launcher = Simulated(Time(), 1, life)
    driver(tmp_path, launcher, choices(1.0, 2.0), retries=2).run()
    first, second = read_record(tmp_path)
    assert (first.state, first.attempts, first.lost) == ("failed", 3, 2) and "node n2 was lost" in first.why
    assert (second.state, second.attempts) == ("done", 3)
    assert [resume for number, _, resume in launcher.placed if number == 1] == [False, True, True]
    assert second.cost and second.cost["seconds"] == pytest.approx(180, abs=1)


def test_somebody_elses_signal_is_like_a_lost_node(tmp_path: Path) -> None:
    launcher = Simulated(
        Time(), 1, lambda _, attempt: Life(ends="interrupted" if attempt == 1 else "done", error="stopped by SIGTERM")
    )
    driver(tmp_path, launcher, choices(1.0)).run()
    (trial,) = read_record(tmp_path)
    assert (trial.state, trial.attempts, trial.lost) == ("done", 2, 1)


def test_too_many_failures_end_the_sweep(tmp_path: Path) -> None:
    dies = Life(seconds=10, ends="failed", error="no", ended=Ended(1))
    launcher = Simulated(Time(), 2, lambda number, _: Life(seconds=1000) if number == 0 else dies)
    sweep = driver(tmp_path, launcher, choices(*map(float, range(9))), max_failures=3)
    sweep.run()
    assert sweep.ending == "stopped" and "sweep.max_failures=3" in sweep.why
    states = [trial.state for trial in read_record(tmp_path)]
    assert states == ["planned", "failed", "failed", "failed"]  # the first was ended with a checkpoint
    assert launcher.cancelled == [False]


def test_no_trial_begins_after_the_time(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda *_: Life(seconds=50))
    sweep = driver(tmp_path, launcher, choices(*map(float, range(9))), max_time=2, test=True)
    sweep.run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done"] * 3
    assert sweep.ending == "stopped" and "sweep.max_time=2" in sweep.why
    assert [verb for _, verb, _ in launcher.placed] == ["run"] * 3 + ["conclude"]


def test_time_that_is_over_before_finalists_have_their_seeds_is_said(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda *_: Life(seconds=50))
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), max_time=1.5, plans=Plans(seeds=(0, 1)))
    sweep.run()
    assert (sweep.ending, len(sweep.trials)) == ("stopped", 2)
    whole = driver(tmp_path / "w", Simulated(Time(), 1, lambda *_: Life(seconds=50)), choices(1.0, 2.0), max_time=1.5)
    whole.run()
    assert whole.ending == ""


def test_an_end_that_comes_before_the_first_trial_lets_none_begin(tmp_path: Path) -> None:
    watcher = Quiet()
    watcher.each = lambda d: d.end("interrupted", "")
    launcher = Simulated(Time(), 2, lambda *_: Life())
    driver(tmp_path, launcher, choices(1.0, 2.0), watcher=watcher).run()
    assert launcher.placed == []


def test_a_driver_leaves_when_nobody_will_ask_it_anything(tmp_path: Path) -> None:
    for rule, asked in ((None, set()), (Patience(validations=20, min_delta=0.0), set(range(1, 9)))):
        launcher = Simulated(Time(), 2, lambda *_: Life(curve=[0.5] * 9, seconds=90))
        place = tmp_path / str(len(asked))
        sweep = driver(place, launcher, choices(1.0, 2.0), detach=True, pruning=rule)
        sweep.run()
        assert sweep.ending == "detached" and launcher.processes
        still = [trial for trial in read_record(place) if trial.state == "running"]
        assert still and all({validations for validations, _ in trial.rungs} == asked for trial in still)


def test_an_end_from_outside_leaves_checkpoints(tmp_path: Path) -> None:
    watcher = Quiet()
    watcher.each = lambda d: d.end("interrupted", "") if d.clock.now() > 90 else None
    launcher = Simulated(Time(), 2, lambda *_: Life(curve=[0.5] * 10, seconds=60))
    driver(tmp_path, launcher, choices(*map(float, range(9))), watcher=watcher).run()
    states = [trial.state for trial in read_record(tmp_path)]
    assert states == ["done", "done", "planned", "planned"]
    assert launcher.cancelled == [False, False]


def test_an_objective_that_no_trial_tells_ends_it_with_the_names(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda *_: Life())
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), objectives=["f1_macro"])
    with pytest.raises(UserError, match=r"There are: validation/accuracy, validation/loss, cost\.train_seconds"):
        sweep.run()
    assert read_record(tmp_path)[0].state == "planned"


def test_a_rule_cuts_nobody_by_an_objective_that_no_trial_tells(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda *_: Life(curve=[0.5] * 9, others=("validation/accuracy", "validation/f1")))
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), objectives=["los:min"],
                   pruning=Asha(min_validations=1, reduction=3))  # fmt: skip
    with pytest.raises(UserError, match=r"validation/los\].*There are: validation/accuracy, validation/f1"):
        sweep.run()
    assert [(trial.state, trial.rungs) for trial in read_record(tmp_path)] == [("planned", ())]


def test_trials_of_another_objective_end_it(tmp_path: Path) -> None:
    loss = ("validation/loss", "min")
    launcher = Simulated(Time(), 1, lambda number, _: Life(objective=loss) if number == 1 else Life())
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0, 3.0))
    with pytest.raises(UserError, match=r"accuracy of some trials, loss of others"):
        sweep.run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done", "planned"]
    assert [one.name for one in sweep.objectives] == ["validation/accuracy"]


def test_a_full_disk_holds_it_up_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it writes: a trial's directory, an answer, the summary, its record."""
    full, calls = OSError(errno.ENOSPC, "No space left on device", "x"), {"prepare": 0, "answer": 0}
    prepare, answer = attempts.prepare_trial, questions.write_answer

    def little_room(name: str, act: Callable[..., None]) -> Callable[..., None]:
        def acts(*given: Any) -> None:
            calls[name] += 1
            if calls[name] % 2:
                raise full
            act(*given)

        return acts

    monkeypatch.setattr(attempts, "prepare_trial", little_room("prepare", prepare))
    monkeypatch.setattr(questions, "write_answer", little_room("answer", answer))
    launcher = Simulated(Time(), 2, lambda number, _: Life(curve=[number / 10] * 9))
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0, 3.0), pruning=Asha(min_validations=1, reduction=3))
    sweep.run()
    assert {trial.state for trial in read_record(tmp_path)} == {"done", "stopped"}
    assert len(read_record(tmp_path)) == 3 and calls["prepare"] == 6 and calls["answer"] >= 6


def test_several_objectives(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda number, _: Life(curve=[0.5 + number / 10], seconds=60 + number))
    sweep = driver(tmp_path, launcher, choices(1.0, 2.0), objectives=["auto", "cost.train_seconds:min"])
    sweep.run()
    assert [trial.values for trial in read_record(tmp_path)] == [(0.5, 60.0), (0.6, 61.0)]
    assert [(one.name, one.direction) for one in sweep.objectives] == [
        ("validation/accuracy", "max"), ("cost.train_seconds", "min"),
    ]  # fmt: skip


def test_what_diverged_is_named(tmp_path: Path) -> None:
    launcher = Simulated(Time(), 1, lambda *_: Life())
    sweep = driver(tmp_path, launcher, choices(1.0), objectives=["auto", "cost.train_seconds:min"])
    outcome = Outcome("done", "sim", 0, "", 1, "sim", objective="validation/accuracy", direction="max",
                      metrics={"validation/accuracy": 0.5}, cost=Cost(train_seconds=math.nan))  # fmt: skip
    sweep.enrolment.begin_grid([({"x": 1.0}, 0)])
    sweep.learn(outcome)
    sweep.take_done(sweep.trials[0], outcome, {})
    assert (sweep.trials[0].state, sweep.trials[0].why) == ("failed", "diverged: cost.train_seconds is nan")


class Told(Grid):
    """A grid that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, str, tuple[float, ...]]] = []

    def tell(self, number: int, told: TellMe, /) -> None:
        self.told.append((number, told.state, told.values))


def batch_idle(seconds: Sequence[float], slots: int) -> float:
    """The share of slot-time that is idle where the next eight begin when the last eight have ended."""
    batches = [seconds[first : first + slots] for first in range(0, len(seconds), slots)]
    whole = sum(max(batch) for batch in batches) * slots
    return 1 - sum(seconds) / whole


def test_a_trial_that_was_given_other_rows_ends_the_sweep_and_another_try_begins_anew(tmp_path: Path) -> None:
    def going_on(rows: str, **more: int) -> Driver:
        sweep = driver(tmp_path, Simulated(Time(), 1, lambda *_: Life(rows=rows)), choices(1.0, 2.0, 3.0), **more)
        take_over(sweep)
        return sweep

    going_on("first", trials=1).run()
    with pytest.raises(UserError, match="trial 1  was trained on other rows than trial 0: the data have changed"):
        going_on("second").run()
    trials = read_record(tmp_path)
    assert [(t.state, t.why) for t in trials] == [("done", ""), ("failed", "other rows than trial 0's")]
    record = Record(tmp_path)
    again(record, tmp_path)
    record.close()
    going_on("first").run()
    assert [trial.state for trial in read_record(tmp_path)] == ["done"] * 3
