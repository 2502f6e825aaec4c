from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.clocks import set_clock
from espalier.config.compose import compose
from espalier.core.lock import held
from espalier.core.outcome import Outcome
from espalier.core.rundir import process_created, read_outcome, write_outcome
from espalier.core.trial import Trial, read_trial
from espalier.sweep.trial_files import (
    announce_resume,
    end_of_log,
    end_process,
    is_alive,
    is_prepared,
    outcome_of,
    prepare_trial,
    validations_of,
)


def test_what_a_trial_begins_from(tmp_path: Path) -> None:
    directory = tmp_path / "mine" / "sweep-x-abc" / "trials" / "007"
    trial = Trial("sweep-x-abc", 7, "abc-007", "seed=3", ("seed=3",), (1, 3))
    assert not is_prepared(directory)
    prepare_trial(compose(["model=lstm", "adapter=full", "seed=3"]), directory, trial)
    assert is_prepared(directory) and read_trial(directory) == trial
    outcome = read_outcome(directory)
    assert (outcome.status, outcome.name, outcome.seed, outcome.pid) == ("running", "mine", 3, os.getpid())
    assert yaml.safe_load((directory / "config.yaml").read_text())["seed"] == 3


def test_what_it_said_before_is_not_read_as_its_next_end(tmp_path: Path) -> None:
    write_outcome(tmp_path, Outcome("paused", "n", 0, "then", 1, "h", epochs=3))
    announce_resume(tmp_path)
    outcome = read_outcome(tmp_path)
    assert (outcome.status, outcome.pid, outcome.epochs, outcome.started) == ("running", os.getpid(), 3, "then")


def test_a_process_that_holds_it_or_is_named_in_it_lives(tmp_path: Path) -> None:
    here = os.uname().nodename
    assert not is_alive(tmp_path, None)
    with held(tmp_path):
        assert is_alive(tmp_path, None)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        created = process_created(child.pid) or 0.0
        outcome = Outcome("running", "n", 0, "", child.pid, here, process_created=created)
        assert is_alive(tmp_path, outcome)
        assert not is_alive(tmp_path, Outcome("running", "n", 0, "", child.pid, here, process_created=created - 100))
        assert not is_alive(tmp_path, Outcome("running", "n", 0, "", child.pid, "elsewhere", process_created=created))
        child.communicate(b"\n")
    assert not is_alive(tmp_path, outcome)


def test_a_wall_clock_that_is_set_keeps_none_from_being_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        created = process_created(child.pid) or 0.0
        write_outcome(tmp_path, Outcome("running", "n", 0, "", child.pid, os.uname().nodename, process_created=created))
        set_clock(monkeypatch, 3600)
        assert is_alive(tmp_path, outcome_of(tmp_path))
        assert end_process(tmp_path, now=True)
        assert child.wait() == -signal.SIGKILL


def test_an_outcome_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert outcome_of(tmp_path) is None
    (tmp_path / "outcome.json").write_text("{")
    assert outcome_of(tmp_path) is None


def test_the_end_of_a_log(tmp_path: Path) -> None:
    assert end_of_log(tmp_path) == ""
    (tmp_path / "log.txt").write_text("\n".join(f"line {n} é" for n in range(10_000)))
    assert end_of_log(tmp_path).splitlines() == [f"line {n} é" for n in range(9980, 10_000)]


@pytest.mark.parametrize(
    ("trainer", "many"),
    [
        ({"max_epochs": 8, "max_steps": -1, "val_check_interval": 1.0, "check_val_every_n_epoch": 1}, 8),
        ({"max_epochs": 8, "max_steps": -1, "val_check_interval": 0.25, "check_val_every_n_epoch": 1}, 32),
        ({"max_epochs": 7, "max_steps": -1, "val_check_interval": 1.0, "check_val_every_n_epoch": 2}, 4),
        ({"max_epochs": -1, "max_steps": 1050, "val_check_interval": 100, "check_val_every_n_epoch": 1}, 11),
        ({"max_epochs": 3, "max_steps": -1, "val_check_interval": 100, "check_val_every_n_epoch": 1}, 1000),
        ({"max_epochs": -1, "max_steps": 500, "val_check_interval": 1.0, "check_val_every_n_epoch": 1}, 1000),
    ],
)
def test_how_often_a_whole_trial_validates(trainer: dict[str, float], many: int) -> None:
    assert validations_of(trainer) == many
