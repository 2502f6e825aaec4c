"""Processes that are taken for wandb's own, seen from the process that began them; one that is real is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from espalier.tracking import wandb_process
from espalier.tracking.wandb_process import is_frozen, is_idle, let_go, services

_NAMED = "open('/proc/self/comm', 'w').write('a-core'); import sys, threading, time; print(flush=True); "
_SLEEPS = "time.sleep(60)"
_WORKS = "threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start(); time.sleep(60)"


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_process, "_NAME", "a-core")


@pytest.fixture
def begun() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def begin(program: str) -> subprocess.Popen[str]:
        child = subprocess.Popen([sys.executable, "-c", _NAMED + program], stdout=subprocess.PIPE, text=True)
        running.append(child)
        assert child.stdout
        child.stdout.readline()
        return child

    yield begin
    for child in running:
        child.kill()
        child.communicate()


def becomes(wanted: Callable[[], bool]) -> bool:
    """Within some seconds."""
    until = time.monotonic() + 10
    while not (found := wanted()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def test_one_that_sleeps_is_idle_and_one_whose_thread_works_is_not(begun: Callable[[str], subprocess.Popen[str]]):
    assert services() == [] and is_idle() and not is_frozen()
    child = begun(_SLEEPS)
    assert [service.pid for service in services()] == [child.pid]
    assert becomes(is_idle)
    begun(_WORKS)
    assert becomes(lambda: not is_idle())
    assert not any(is_idle() for _ in range(20))


def test_one_that_was_stopped_is_frozen(begun: Callable[[str], subprocess.Popen[str]]):
    child = begun(_SLEEPS)
    os.kill(child.pid, signal.SIGSTOP)
    assert becomes(is_frozen)


def test_letting_go_kills_where_it_must_and_tears_down_where_nothing_lives(
    begun: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
):
    torn = []

    def teardown() -> None:
        torn.append(True)
        raise SystemExit(3)

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(teardown=teardown))
    child = begun(_SLEEPS)
    let_go(5, by_force=False)
    assert child.poll() is None and not torn
    let_go(5, by_force=True)
    assert child.wait(5) == -signal.SIGKILL and torn
