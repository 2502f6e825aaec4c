"""Processes, as a driver has them in hand: real ones where it has no handle of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from espalier.core.launching import Ended, Job
from espalier.core.outcome import Outcome
from espalier.core.rundir import process_created, write_outcome
from espalier.core.trial import Trial, write_trial
from espalier.sweep.places import Places
from sweep.simulation import Life, Simulated, Time

OUTCOME = Outcome("running", "sim", 0, "", 1, "elsewhere")
TRAINS = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: exit(7))
print("trains", flush=True)
time.sleep(60)
"""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A trial's directory whose outcome says that a process trains there: it does."""
    process = subprocess.Popen([sys.executable, "-c", TRAINS], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "trains\n"
    created = process_created(process.pid) or 0.0
    outcome = replace(OUTCOME, pid=process.pid, process_created=created, host=os.uname().nodename)
    write_outcome(tmp_path, outcome)
    yield tmp_path, process
    process.kill()
    process.wait()


def job(directory: Path) -> Job:
    return Job(directory, False, {}, {})


def unknown(directory: Path, clock: Time) -> Places:
    """With a trial that an earlier driver may have started."""
    places = Places(Simulated(clock, 1, lambda *_: Life()), lambda: clock.now)
    places.await_unknown(3, job(directory), 0.0)
    return places


def test_one_that_lives_is_waited_for_however_long(trial: tuple[Path, subprocess.Popen[str]]) -> None:
    directory, process = trial
    clock = Time()
    places = unknown(directory, clock)
    clock.now = 1000
    assert list(places.ended()) == [] and places.running[3].slot == "elsewhere"
    process.kill()
    process.wait()
    assert [(number, ended.lost) for number, _, ended in places.ended()] == [(3, True)] and not places.running


def test_one_that_never_shows_itself_is_given_up(tmp_path: Path) -> None:
    clock = Time()
    places = unknown(tmp_path, clock)
    clock.now = 14
    assert list(places.ended()) == []
    clock.now = 16
    assert [ended for _, _, ended in places.ended()] == [Ended(1, "its driver was killed", lost=True)]


@pytest.mark.parametrize(("now", "code"), [(False, 7), (True, -signal.SIGKILL)])
def test_ended_though_nobody_has_a_handle(trial: tuple[Path, subprocess.Popen[str]], now: bool, code: int) -> None:
    directory, process = trial
    places = unknown(directory, Time())
    places.cancel(now=now)
    assert process.wait(timeout=10) == code
    until = time.monotonic() + 5
    while not (found := list(places.ended())) and time.monotonic() < until:
        time.sleep(0.01)
    assert [number for number, _, _ in found] == [3]


def test_one_on_another_machine_is_left_alone_when_all_shall_end_at_once(tmp_path: Path) -> None:
    write_outcome(tmp_path, OUTCOME)
    places = unknown(tmp_path, Time())
    places.cancel(now=False)
    assert 3 in places.running  # it may still show itself, and end
    places.cancel(now=True)
    assert list(places.ended()) == [] and not places.running


def test_placed_found_again_and_cancelled(tmp_path: Path) -> None:
    clock = Time()
    launcher = Simulated(clock, 1, lambda *_: Life(seconds=10))
    directory = tmp_path / "003"
    directory.mkdir()
    write_trial(directory, Trial("s", 3, "x", ""))
    write_outcome(directory, OUTCOME)
    places = Places(launcher, lambda: clock.now)
    placed = places.place(3, job(directory))
    assert not places.fits(job(directory)) and places.running[3].slot == "sim:0"
    other = Places(launcher, lambda: clock.now)
    assert other.reattach(3, job(directory), placed, -5.0) and other.running[3].began == -5.0
    other.cancel(now=True)
    assert launcher.cancelled == [True] and other.running[3].cancelled
    assert [(number, ended.code) for number, _, ended in other.ended()] == [(3, 137)]
    assert not other.reattach(3, job(directory), placed, 0.0) and 3 not in other.running
