from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clocks import set_clock
from espalier.core.launching import Ended, environment_of, words_of
from espalier.core.machine import oom_kills
from espalier.core.outcome import Outcome
from espalier.core.rundir import process_created, write_outcome
from espalier.launcher.processes import Process, cold, found, lives
from launcher.waiting import Jobs, wait, wait_for

MEMORY = Path("/sys/fs/cgroup/memory")


def start(job: Jobs, do: str) -> tuple[Process, Path]:
    made = job(do)
    return cold(words_of(made), environment_of(made), made.directory / "log.txt"), made.directory


def test_it_ends_with_its_code_and_its_words_are_kept(job: Jobs) -> None:
    process, directory = start(job, "exit 3")
    assert wait(process.ended) == Ended(3)
    assert (directory / "log.txt").read_text() == "begun exit\n"
    told = json.loads((directory / "told.json").read_text())
    assert told["group"] == process.pid and told["MINE"] == "yes"


def test_a_log_is_continued(job: Jobs) -> None:
    made = job("exit 0")
    (made.directory / "log.txt").write_text("first attempt\n")
    wait(cold(words_of(made), environment_of(made), made.directory / "log.txt").ended)
    assert (made.directory / "log.txt").read_text() == "first attempt\nbegun exit\n"


def test_a_signal_is_named(job: Jobs) -> None:
    process, _ = start(job, "kill 11")
    assert wait(process.ended) == Ended(139, "killed by SIGSEGV")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGRTMIN + 3, "signal 37"), (signal.SIGRTMIN, "SIGRTMIN")])
def test_a_signal_without_a_name_too(job: Jobs, number: int, name: str) -> None:
    process, _ = start(job, f"kill {int(number)}")
    assert wait(process.ended) == Ended(128 + number, f"killed by {name}")


def test_where_a_rank_is_killed_its_siblings_end_as_well(job: Jobs) -> None:
    """They would wait for it, and keep the device that the next trial is given."""
    process, directory = start(job, "rank")
    assert wait(process.ended) == Ended(137, "killed by SIGKILL")
    wait(lambda: None if process_created(int((directory / "beside").read_text())) else True, 10)


def test_a_kill_from_elsewhere_is_no_want_of_memory(job: Jobs) -> None:
    process, directory = start(job, "sleep")
    wait_for(directory / "ready")
    os.kill(process.pid, signal.SIGKILL)
    assert wait(process.ended) == Ended(137, "killed by SIGKILL")


def test_it_may_end_in_order_or_at_once(job: Jobs) -> None:
    polite, first = start(job, "polite")
    stubborn, second = start(job, "sleep")
    for directory in (first, second):
        wait_for(directory / "ready")
    polite.end(now=False)
    stubborn.end(now=True)
    assert wait(polite.ended) == Ended(143)
    assert wait(stubborn.ended) == Ended(137, "killed by SIGKILL")
    polite.end(now=True)  # it is gone already


def test_one_of_an_earlier_driver_is_found(job: Jobs) -> None:
    process, directory = start(job, "sleep")
    wait_for(directory / "ready")
    again = found(process.pid, process.created, directory)
    assert again.ended() is None and lives(process.pid, process.created)
    assert not lives(process.pid, process.created - 10)
    again.end(now=True)
    wait(process.ended)
    assert again.ended() == Ended(137, "killed by SIGKILL")


@pytest.mark.parametrize("seconds", [-7200, 60])
def test_a_wall_clock_that_is_set_hides_none(job: Jobs, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    process, directory = start(job, "sleep")
    wait_for(directory / "ready")
    again = found(process.pid, process.created, directory)
    set_clock(monkeypatch, seconds)
    assert lives(process.pid, process.created) and again.ended() is None
    again.end(now=True)
    assert wait(process.ended) == Ended(137, "killed by SIGKILL")


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("failed", 1), ("paused", 0), ("interrupted", 143)])
def test_its_directory_says_how_it_ended_where_nobody_watched(tmp_path: Path, status: str, code: int) -> None:
    write_outcome(tmp_path, Outcome(status, "n", 0, "", 1, "h"))  # type: ignore[arg-type]
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    created = process_created(child.pid) or 0.0
    child.wait()
    assert found(child.pid, created, tmp_path).ended() == Ended(code)


@pytest.fixture
def narrow() -> Iterator[Path]:
    """A group of processes that may have 200 MB of memory."""
    folder = MEMORY / f"espalier-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(200 << 20))
    except OSError as error:
        pytest.skip(f"needs to limit a group's memory, as root: {error}")
    yield folder
    folder.rmdir()


def test_the_kernel_kills_for_want_of_memory(job: Jobs, narrow: Path) -> None:
    before, made = oom_kills(), job("eat")
    # The group is entered by a shell that becomes the trial.
    enter = f"echo $$ > {narrow}/cgroup.procs; exec {sys.executable} -m stand_in {made.directory}"
    child = subprocess.Popen(["sh", "-c", enter], env=environment_of(made))
    ended = wait(Process(child.pid, process_created(child.pid) or 0.0, child.poll).ended)
    assert ended == Ended(137, "the kernel killed it for want of memory", out_of_memory=True)
    assert oom_kills() > before
