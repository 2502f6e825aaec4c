"""The winner's test: once for each of its seeds, and what a kill or a failure leaves of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.core.launching import LOG, Ended
from espalier.core.record import Record, read_record
from espalier.sweep.takeover import take_over
from sweep.simulation import Life, Plans, Simulated, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")


class Killed(BaseException):
    """The driver is no more."""


def launched(slots: int = 1) -> Simulated:
    return Simulated(Time(), slots, lambda number, _: Life(curve=[0.5 + 0.1 * number]))


def test_every_seed_of_the_winner_and_nobody_else(tmp_path: Path) -> None:
    launcher = launched()
    driver(tmp_path, launcher, choices(1.0, 2.0), plans=Plans(seeds=(0, 1)), finalists=1, test=True).run()
    assert [(number, verb) for number, verb, _ in launcher.placed if verb == "conclude"] == [
        (1, "conclude"), (2, "conclude"),
    ]  # fmt: skip
    tested = [trial.trial for trial in read_record(tmp_path) if "test/accuracy" in (trial.metrics or {})]
    assert tested == [1, 2]


def test_a_driver_that_is_killed_before_it_notes_a_test_has_it_noted_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher, write = launched(), Record.write

    def killed(self: Record, event: str, *given: Any, **more: Any) -> None:
        if event == "tested":
            raise Killed
        write(self, event, *given, **more)

    monkeypatch.setattr(Record, "write", killed)
    with pytest.raises(Killed):
        driver(tmp_path, launcher, choices(1.0), test=True).run()
    monkeypatch.setattr(Record, "write", write)
    again = driver(tmp_path, launcher, choices(1.0), test=True)
    take_over(again)
    again.run()
    assert [verb for _, verb, _ in launcher.placed] == ["run", "conclude"]  # not tested twice
    (trial,) = read_record(tmp_path)
    assert (trial.metrics or {})["test/accuracy"] == pytest.approx(0.49)


def test_a_test_that_fails_is_said_and_tried_by_the_next_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = launched()
    poll = launcher.poll

    def fails(placed: Any) -> Ended | None:
        process = launcher.processes[placed.handle["trial"]]
        if process.verb != "conclude":
            return poll(placed)
        (process.directory / LOG).write_text("reading\nValueError: no test rows\n")
        del launcher.processes[placed.handle["trial"]]
        return Ended(1)

    monkeypatch.setattr(launcher, "poll", fails)
    sweep = driver(tmp_path, launcher, choices(1.0), test=True)
    sweep.run()
    assert sweep.conclusion.faults == {0: "ValueError: no test rows"} and not sweep.ending
    monkeypatch.setattr(launcher, "poll", poll)
    again = driver(tmp_path, launcher, choices(1.0), test=True)
    take_over(again)
    again.run()
    assert again.conclusion.faults == {}
    assert "test/accuracy" in (read_record(tmp_path)[0].metrics or {})


def test_an_end_from_outside_is_no_fault(tmp_path: Path) -> None:
    launcher = launched()
    sweep = driver(tmp_path, launcher, choices(1.0), test=True)
    tests = lambda: any(verb == "conclude" for _, verb, _ in launcher.placed)  # noqa: E731
    sweep.watcher.each = lambda d: d.end("interrupted", "") if tests() else None  # type: ignore[attr-defined]
    sweep.run()
    assert sweep.conclusion.faults == {} and sweep.ending == "interrupted"
    assert launcher.cancelled == [False] and read_record(tmp_path)[0].state == "done"
