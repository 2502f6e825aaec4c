"""A sweep without processes: trials that take the time they are told, on slots of a clock that only sleeping moves."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from espalier.core.errors import Fault
from espalier.core.launching import Ended, Job, Placed
from espalier.core.outcome import Cost, Outcome
from espalier.core.record import Record, TrialRecord
from espalier.core.rundir import write_outcome
from espalier.core.searching import Dimension, Point
from espalier.core.trial import Ask, Trial, read_answer, read_trial, write_ask, write_trial
from espalier.pruning.none import Unpruned
from espalier.search.grid import Grid
from espalier.sweep import attempts
from espalier.sweep.driver import POLL, Clock, Driver, Parts
from espalier.sweep.plan import Planned
from espalier.sweep.settings import Settings

OBJECTIVE = "validation/accuracy"


class Time:
    """What the driver takes for the time. Sleeping skips the rounds in which nothing would happen."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events: list[float] = []

    def sleep(self, seconds: float) -> None:
        while self.events and self.events[0] <= self.now:
            heapq.heappop(self.events)
        ahead = self.events[0] - self.now if self.events else seconds
        self.now += seconds * max(1, math.ceil(ahead / seconds - 1e-9))


@dataclass
class Life:
    """How a trial goes: its curve, a value every ``seconds / len(curve)``, and how it ends."""

    curve: Sequence[float] = (0.5,)
    seconds: float = 60.0
    ends: str = "done"
    error: str = ""
    rows: str = ""  # the data's fingerprint
    objective: tuple[str, str] = (OBJECTIVE, "max")
    others: tuple[str, ...] = ()  # named where it asks, since what it is judged by is no metric
    ended: Ended = field(default_factory=lambda: Ended(0))


@dataclass
class _Process:
    directory: Path
    life: Life
    slot: int
    verb: str
    done: int
    next: float
    waits: bool = False
    code: Ended | None = None


class Simulated:
    """A launcher. ``life(number, attempt)`` says how a trial goes; what it writes are a run's own files."""

    def __init__(self, time: Time, slots: int, life: Callable[[int, int], Life]) -> None:
        self.time, self.number, self.life = time, slots, life
        self.processes: dict[int, _Process] = {}
        self.done: dict[int, int] = {}
        self.attempts: dict[int, int] = {}
        self.busy: list[tuple[int, float, float, int]] = []  # slot, from, to, trial
        self.placed: list[tuple[int, str, bool]] = []
        self.cancelled: list[bool] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing."""

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        return []

    def machine(self) -> None:
        return None

    def slots(self) -> list[str]:
        return [f"sim:{number}" for number in range(self.number)]

    def fits(self, job: Job, /) -> bool:
        return len(self.processes) < self.number

    def submit(self, job: Job, /) -> Placed:
        number = int(job.directory.name)
        assert number not in self.processes, "placed twice at once"
        attempt = self.attempts[number] = self.attempts.get(number, 0) + (job.verb == "run")
        life = self.life(number, attempt)
        slot = min(set(range(self.number)) - {process.slot for process in self.processes.values()})
        done = self.done.get(number, 0) if job.resume else 0
        process = _Process(job.directory, life, slot, job.verb, done, self.time.now + self._step(life))
        self.processes[number] = process
        self.placed.append((number, job.verb, job.resume))
        self.busy.append((slot, self.time.now, math.inf, number))
        heapq.heappush(self.time.events, process.next)
        return Placed(f"sim:{slot}", {"trial": number})

    def poll(self, placed: Placed, /) -> Ended | None:
        number = placed.handle["trial"]
        process = self.processes[number]
        while process.code is None and process.next <= self.time.now and self._moves(number, process):
            pass
        if process.code is not None:
            del self.processes[number]
            at = next(i for i in reversed(range(len(self.busy))) if self.busy[i][3] == number)
            slot, begin, _, _ = self.busy[at]
            self.busy[at] = slot, begin, self.time.now, number
        return process.code

    def reattach(self, placed: Placed, job: Job, /) -> bool:
        return placed.handle["trial"] in self.processes

    def cancel(self, placed: Placed, /, *, now: bool) -> None:
        process = self.processes[placed.handle["trial"]]
        self.cancelled.append(now)
        if not now:
            self._write(process, "interrupted", "stopped by SIGTERM")
        process.code = Ended(137 if now else 143)

    def is_alive(self, number: int) -> bool:
        """Whether its process is there, as seen by somebody who has no handle of it."""
        if number in self.processes:
            self.poll(Placed("", {"trial": number}))
        return number in self.processes

    def _step(self, life: Life) -> float:
        return life.seconds / len(life.curve)

    def _moves(self, number: int, process: _Process) -> bool:
        """One validation, or the answer to a question; False where it waits."""
        life, trial = process.life, read_trial(process.directory)
        assert trial is not None
        if process.verb == "conclude":
            self._write(process, "done", concluded=True)
            process.code = Ended(0)
            return True
        if process.waits:
            answer = read_answer(process.directory)
            if answer is None or answer.validations < process.done:
                heapq.heappush(self.time.events, self.time.now + POLL)
                return False
            process.waits = False
            if not answer.go_on:
                self._write(process, "paused")
                process.code = Ended(0)
                return True
        elif process.done < len(life.curve):
            process.done += 1
            self.done[number] = process.done
            if process.done in trial.rungs and process.done < len(life.curve):
                self._write(process, "running")
                value = None if life.others else life.curve[process.done - 1]
                write_ask(process.directory, Ask(process.done, process.done * 10, value, life.others))
                process.waits = True
                return True
        if process.done >= len(life.curve):
            self._write(process, life.ends, life.error)
            process.code = life.ended
            return True
        process.next += self._step(life)
        heapq.heappush(self.time.events, process.next)
        return True

    def _write(self, process: _Process, status: str, error: str = "", *, concluded: bool = False) -> None:
        reached = process.life.curve[: process.done] or [0.0]
        metrics = {OBJECTIVE: max(reached), "validation/loss": 1 - max(reached)}
        if concluded:
            metrics = {OBJECTIVE: max(process.life.curve), "test/accuracy": max(process.life.curve) - 0.01}
        outcome = Outcome(
            status=status, name="sim", seed=0, started="", pid=1, host="sim", objective=process.life.objective[0],
            direction=process.life.objective[1],
            metrics=metrics, error=error, cost=Cost(train_seconds=process.life.seconds),
            summary={"concluded": True} if concluded else {}, data={"fingerprint": process.life.rows},
        )  # fmt: skip
        write_outcome(process.directory, outcome)


class Space:
    """Flat."""

    def __init__(self, *dimensions: Dimension) -> None:
        self.dimensions = dimensions

    def options(self) -> Sequence[Dimension]:
        return ()

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        return self.dimensions


class Plans:
    """Trials that differ in nothing but their point and seed."""

    def __init__(self, seeds: Sequence[int] = (0,), validations: int = 9, hardware: Mapping[str, Any] | None = None):
        self.seeds, self.validations, self.hardware = tuple(seeds), validations, hardware or {}

    def at(self, point: Point, seed: int | None = None) -> Planned:
        number = self.seeds[0] if seed is None else seed
        values = {"seed": number, "trainer": {"max_epochs": self.validations}, "data": {"path": "a.csv"}}
        words = (*(f"{key}={value}" for key, value in point.items()), f"seed={number}")
        shown = {**point, "x": round(float(point["x"]) % 1000, 9)}  # x and 1000 + x are the same trial
        name = " ".join(words)
        return Planned(
            point,
            number,
            words,
            words,
            name,
            f"{shown}/{number}",
            self.hardware,
            lambda: SimpleNamespace(values=values),
        )


class Quiet:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.states: list[tuple[int, str]] = []
        self.rounds = 0
        self.each: Callable[[Driver], None] = lambda driver: None

    def look(self, driver: Driver, /) -> None:
        self.rounds += 1
        self.each(driver)

    def moved(self, driver: Driver, trial: TrialRecord, /) -> None:
        self.states.append((trial.trial, trial.state))


def settings(**changes: Any) -> Settings:
    """Those of conf/multirun.yaml, with changes."""
    whole = Settings(
        trials=None, space="auto", objectives=["auto"], finalists=3, retries=2, max_failures=None, max_time=None,
        seed=0, test=False, detach=False, dir=None,
    )  # fmt: skip
    return replace(whole, **changes)


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trial directories without a config: nothing here reads it."""

    def prepare(experiment: Any, directory: Path, trial: Trial) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        write_trial(directory, trial)
        write_outcome(directory, Outcome("running", "sim", 0, "", 1, "sim"))

    monkeypatch.setattr(attempts, "prepare_trial", prepare)
    monkeypatch.setattr(attempts, "is_prepared", lambda directory: (directory / "trial.json").exists())
    monkeypatch.setattr("espalier.core.files.os.fsync", lambda handle: None)


def choices(*values: float) -> Space:
    """One key ``x``."""
    return Space(Dimension("x", values))


def driver(
    directory: Path, launcher: Simulated, space: Space, *, search: Any = None, pruning: Any = None,
    plans: Plans | None = None, watcher: Quiet | None = None, **changes: Any,
) -> Driver:  # fmt: skip
    """One whose search is started; of a grid, nothing is planned yet."""
    directory.mkdir(parents=True, exist_ok=True)
    searching = search or Grid()
    searching.start(space, ["max"], 0)
    parts = Parts(launcher, searching, pruning or Unpruned(), plans or Plans(), settings(**changes))
    time = launcher.time
    clock = Clock(lambda: time.now, time.sleep)
    return Driver(directory, Record(directory), parts, clock, watcher or Quiet())
