from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from espalier.core.launching import Ended
from espalier.launcher.inline import Inline
from launcher.waiting import Jobs, wait, wait_for

PROGRAM = """
import sys, time
from pathlib import Path
from espalier.core.launching import Job
from espalier.launcher import processes
from espalier.launcher.inline import Inline
processes.MODULE = "stand_in"
with Inline() as launcher:
    placed = launcher.submit(Job(Path(sys.argv[1]), False, {}, {}))
    while launcher.poll(placed) is None: time.sleep(0.01)
"""


def test_a_trial_has_the_terminal(job: Jobs) -> None:
    made = job("read")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, made.directory], input="what is typed\n", capture_output=True, text=True
    )
    assert done.stdout == "begun read\nread what is typed\n", done.stderr
    assert not (made.directory / "log.txt").exists()


def test_one_at_a_time(job: Jobs) -> None:
    first, second = job("sleep"), job("exit 4")
    with Inline() as launcher:
        assert launcher.slots() == ["here"] and launcher.fits(first)
        placed = launcher.submit(first)
        assert not launcher.fits(second)
        wait_for(first.directory / "ready")
        assert json.loads((first.directory / "told.json").read_text())["group"] == os.getpgid(0)
        launcher.cancel(placed, now=False)
        assert wait(lambda: launcher.poll(placed)) == Ended(143, "killed by SIGTERM")
        assert launcher.fits(second)
        placed = launcher.submit(second)
        assert wait(lambda: launcher.poll(placed)) == Ended(4)


def test_ending_one_at_once_spares_the_driver(job: Jobs) -> None:
    made = job("sleep")
    with Inline() as launcher:
        placed = launcher.submit(made)
        wait_for(made.directory / "ready")
        launcher.cancel(placed, now=True)
        assert wait(lambda: launcher.poll(placed)) == Ended(128 + signal.SIGKILL, "killed by SIGKILL")


def test_one_of_an_earlier_driver_is_taken_up(job: Jobs) -> None:
    made = job("sleep")
    earlier, later = Inline(), Inline()
    placed = earlier.submit(made)
    wait_for(made.directory / "ready")
    assert later.reattach(placed, made) and not later.fits(made)
    later.cancel(placed, now=True)
    wait(lambda: earlier.poll(placed))
    assert later.poll(placed) == Ended(137, "killed by SIGKILL")
    assert not later.reattach(placed, made)


@pytest.mark.parametrize(("nodes", "faults"), [(1, 0), ("auto", 0), (2, 1)])
def test_other_machines_are_not_here(nodes: object, faults: int) -> None:
    assert len(Inline().faults([{"num_nodes": nodes}] * 3)) == faults
