from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from espalier.cli import process
from espalier.cli.process import DONE, NEW, RESUME, become, placed, prepare, run_each, turn_into
from espalier.config.compose import compose
from espalier.core.rundir import read_outcome, write_outcome


def test_prepare_makes_a_directory_with_the_config(here: Path) -> None:
    directory = prepare(compose(["model=lstm", "adapter=full", "seed=3"]))
    assert directory.parent == here / "outputs" / "support_intents-lstm-full"
    assert yaml.safe_load((directory / "config.yaml").read_text())["seed"] == 3
    assert yaml.safe_load((directory / "origin.yaml").read_text())["overrides"] == [
        "model=lstm",
        "adapter=full",
        "seed=3",
    ]


def test_prepare_takes_the_name_and_the_output(here: Path) -> None:
    assert prepare(compose(["name=a b/c", "output=elsewhere"])).parent == here / "elsewhere" / "a-b-c"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_what_takes_the_seconds_before_anything_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr(os, "execve", lambda *_: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    turn_into("espalier.run.predict")
    said = capsys.readouterr()
    assert ("loading torch" in said.err) is terminal and not said.out


def test_become_runs_the_one_process_that_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *given: calls.append(given))
    become(Path("d"))
    become(Path("d"), resume=True)
    ((program, first, environment), (_, second, _)) = calls
    assert program == sys.executable and first[1:] == ["-m", "espalier.run", "d"] and second[-1] == "--resume"
    assert environment["PYTHONSAFEPATH"] == "1"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What takes the place of training, one after the other."""
    waiting: list[list[str]] = []
    monkeypatch.setattr(process, "_command", lambda directory, resume: waiting.pop(0))
    return waiting


def exits(code: int) -> list[str]:
    return [sys.executable, "-S", "-c", f"raise SystemExit({code})"]


def test_a_grid_goes_on_after_a_failed_run(commands: list[list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    commands += [exits(0), exits(1), exits(0)]
    experiment = compose([])
    assert run_each([experiment] * 3, [["seed=0"], ["seed=1"], ["seed=2"]]) == 1
    said = capfd.readouterr().out
    assert "[3/3] seed=2" in said and commands == []
    assert said.splitlines()[-1].startswith("side by side   espalier compare outputs/")


def test_a_signal_ends_the_grid(commands: list[list[str]]) -> None:
    commands += [exits(143), exits(0)]
    assert run_each([compose([])] * 2, [["seed=0"], ["seed=1"]]) == 143
    assert len(commands) == 1


def test_a_killed_run_says_by_which_signal(commands: list[list[str]]) -> None:
    commands += [[sys.executable, "-S", "-c", "import os; os.kill(os.getpid(), 9)"]]
    assert run_each([compose([])], [["seed=0"]]) == 128 + signal.SIGKILL


def test_signals_are_passed_on(commands: list[list[str]], here: Path) -> None:
    program = (
        "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
        "open('ready', 'w').close()\ntime.sleep(20)"
    )
    commands += [[sys.executable, "-S", "-c", program]]
    # In a process without other threads, as the command line is: the kernel may tell any thread of a signal.
    if (child := os.fork()) == 0:
        before = signal.getsignal(signal.SIGTERM)
        code = run_each([compose([])], [["seed=0"]])
        os._exit(code if signal.getsignal(signal.SIGTERM) is before else 1)
    until("ready", here)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 143


def until(file: str, folder: Path) -> None:
    while not (folder / file).exists():
        time.sleep(0.01)


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch):
    """A batch job of Slurm's, after so many restarts."""

    def set_to(number: int, restarts: int) -> None:
        monkeypatch.setenv("SLURM_JOB_ID", str(number))
        monkeypatch.setenv("SLURM_RESTART_COUNT", str(restarts))

    return set_to


def ended(directory: Path, status: str) -> None:
    outcome = read_outcome(directory)
    write_outcome(directory, replace(outcome, status=status, pid=2**22 - 1))


def test_a_job_that_is_queued_again_goes_on_with_what_it_began(job, capsys: pytest.CaptureFixture[str]) -> None:
    job(7, 0)
    first, other = compose(["seed=1"]), compose(["seed=2"])
    left, what = placed(first)
    assert what == NEW and placed(first)[0] != left, "the same words twice in one attempt are two runs"
    ended(placed(first)[0], "running")
    newest = max(left.parent.iterdir())
    for status, then in (("running", RESUME), ("interrupted", RESUME), ("failed", RESUME), ("done", DONE)):
        ended(newest, status)
        job(7, 1)
        assert placed(first) == (newest, then)
    assert "this job was queued again" in capsys.readouterr().out
    assert placed(other)[1] == NEW
    job(8, 1)
    assert placed(first)[1] == NEW, "another job's"


def test_a_run_of_this_job_that_is_still_there_is_left_alone(job) -> None:
    job(7, 0)
    experiment = compose(["seed=1"])
    placed(experiment)  # by this process, which lives
    job(7, 1)
    assert placed(experiment)[1] == NEW


def test_all_ranks_of_a_job_that_is_queued_again_go_on(job, monkeypatch: pytest.MonkeyPatch) -> None:
    srun = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "1", "SLURM_PROCID": "0"}
    for name, value in srun.items():
        monkeypatch.setenv(name, value)
    job(7, 0)
    experiment = compose(["seed=1"])
    left, _ = placed(experiment)
    ended(left, "interrupted")
    job(7, 1)
    assert placed(experiment) == (left, RESUME)
    monkeypatch.setenv("SLURM_PROCID", "1")
    assert placed(experiment) == (left, RESUME)
