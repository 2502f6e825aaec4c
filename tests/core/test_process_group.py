from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from espalier.core.process_group import end_left_behind
from espalier.core.rundir import process_created

LEADER = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '300']).pid, flush=True); time.sleep(300)"


@pytest.fixture
def beside() -> Iterator[list[int]]:
    """Processes to be ended after the test."""
    made: list[int] = []
    yield made
    for pid in made:
        if process_created(pid):
            os.kill(pid, signal.SIGKILL)


def leader(beside: list[int], *, leads: bool) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", LEADER], stdout=subprocess.PIPE, text=True, start_new_session=leads)
    assert child.stdout
    beside.append(int(child.stdout.readline()))
    child.stdout.close()
    return child


def test_what_a_signal_left_of_a_group_ends_and_the_childs_end_can_still_be_taken(beside: list[int]) -> None:
    child = leader(beside, leads=True)
    end_left_behind(child.pid)
    assert process_created(beside[0])  # while it runs, nothing happens
    child.kill()
    end_left_behind(child.pid, wait=True)
    assert child.wait() == -signal.SIGKILL
    until = time.monotonic() + 10
    while process_created(beside[0]):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_child_in_our_own_group_and_one_that_is_gone_are_let_be(beside: list[int]) -> None:
    child = leader(beside, leads=False)
    child.kill()
    end_left_behind(child.pid, wait=True)
    assert child.wait() == -signal.SIGKILL
    end_left_behind(child.pid)
    assert process_created(beside[0])


def test_who_ends_by_itself_may_leave_something_running(beside: list[int], tmp_path: Path) -> None:
    program = LEADER.replace("time.sleep(300)", "0")
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout
    beside.append(int(child.stdout.readline()))
    child.stdout.close()
    end_left_behind(child.pid, wait=True)
    assert child.wait() == 0 and process_created(beside[0])
