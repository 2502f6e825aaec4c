"""Jobs run in order in a thread that can hold nobody up."""

from __future__ import annotations

import subprocess
import sys
from threading import Event
from time import perf_counter, sleep

import pytest

from espalier.tracking import background
from espalier.tracking.background import Background, in_one_line


def test_jobs_are_done_in_order() -> None:
    done: list[int] = []
    work = Background("test")
    for number in range(1000):
        work.do(lambda number=number: done.append(number))
    assert work.close(10)
    assert done == list(range(1000))
    assert (work.dropped, work.error) == (0, "")


def test_a_failing_job_is_counted_and_the_next_one_has_its_turn() -> None:
    done: list[str] = []
    work = Background("test")
    work.do(lambda: 1 / 0)
    work.do(lambda: sys.exit("the library wants to end the process"))
    work.do(lambda: done.append("after"))
    assert work.close(10)
    assert done == ["after"]
    assert (work.dropped, work.error) == (2, "ZeroDivisionError: division by zero")


def test_a_hanging_job_holds_nobody_up() -> None:
    release = Event()
    work = Background("test")
    work.do(release.wait)
    began = perf_counter()
    for _ in range(10_000):
        work.do(lambda: None)
    assert not work.close(0.05)
    assert perf_counter() - began < 5  # and not for ever
    release.set()
    assert work.close(10)


def test_the_backlog_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_BACKLOG", 10)
    release = Event()
    work = Background("test")
    work.do(release.wait)
    for _ in range(100):
        work.do(lambda: None)
    assert work.dropped >= 89
    release.set()
    assert work.close(10)


def test_a_hanging_job_does_not_keep_the_process_from_ending() -> None:
    program = "import time; from espalier.tracking.background import Background as B; B('x').do(lambda: time.sleep(60))"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)


def test_an_error_in_one_line() -> None:
    assert in_one_line(ValueError("first\nsecond")) == "ValueError: first"
    assert in_one_line(TimeoutError()) == "TimeoutError"


def test_a_job_that_takes_longer_than_it_may_has_stalled() -> None:
    release = Event()
    work = Background("test")
    assert not work.stalled
    work.do(release.wait, 0.05)
    sleep(0.5)
    assert work.stalled
    release.set()
    assert work.close(10) and not work.stalled


def test_one_that_may_take_long_has_not() -> None:
    release = Event()
    work = Background("test")
    work.do(release.wait, 60)
    sleep(0.1)
    assert not work.stalled and not work.close(0.05)
    release.set()
    assert work.close(10)


def test_work_is_told_from_waiting() -> None:
    release, working = Event(), Event()

    def count() -> None:
        working.set()
        total = 0
        while not release.is_set():
            total += 1

    work = Background("test")
    work.do(count)
    working.wait(10)
    before, until = work.worked(), perf_counter() + 30
    while work.worked() - before < 0.01 and perf_counter() < until:
        sleep(0.01)
    assert work.worked() - before >= 0.01
    release.set()
    assert work.close(10)
    waits = Background("test")
    waits.do(lambda: sleep(1))
    sleep(0.2)
    before = waits.worked()
    sleep(0.3)
    assert waits.worked() - before < 0.01


def test_secrets_in_what_failed_are_masked() -> None:
    assert in_one_line(ValueError("https://me:hush1@host")) == "ValueError: https://•••@host"
