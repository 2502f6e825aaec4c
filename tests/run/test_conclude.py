"""A trial's short end, and what is made up for it when it has won."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.config.saved import read
from espalier.core.errors import InterruptedRunError, UserError
from espalier.core.outcome import Outcome
from espalier.core.rundir import read_outcome, write_outcome
from espalier.core.trial import TRIAL, Answer, write_answer
from espalier.run import conclude as conclusion
from espalier.run.conclude import conclude_trial
from espalier.run.stop import Stop
from run.trials import answered, train, trial_in


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is done, undisturbed."""
    directory = trial_in(tmp_path_factory.mktemp("sweeps"))
    assert train(directory).status == "done"
    return directory


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same config as a run of its own."""
    directory = trial_in(tmp_path_factory.mktemp("runs"))
    alone = directory.parents[2] / "2026-11-30_14-02-11-0a1b2c"
    shutil.copytree(directory, alone)
    (alone / TRIAL).unlink()
    assert train(alone).status == "done"
    return alone


@pytest.fixture
def copy(trial: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trial, tmp_path / "outputs" / Path(*trial.parts[-4:]))


def conclude(directory: Path) -> Outcome:
    with Stop(directory) as stop:
        return conclude_trial(read(directory), directory, stop)


def test_a_trial_leaves_what_its_sweep_needs_and_no_more(trial: Path) -> None:
    there = {file.name for file in trial.iterdir()}
    assert there == {
        "config.yaml", "origin.yaml", "trial.json", "outcome.json", "facts.json", "metrics.jsonl", "checkpoints",
    }  # fmt: skip
    assert not (trial.parents[3] / "latest").exists()


def test_its_metrics_are_those_of_its_best_validation(trial: Path, plain: Path) -> None:
    found, alone = read_outcome(trial), read_outcome(plain)
    assert found.metrics == {name: value for name, value in alone.metrics.items() if name.startswith("validation/")}
    assert (found.best, found.steps, found.epochs) == (alone.best, alone.steps, alone.epochs)
    assert (found.name, found.objective, found.intervals) == ("small", "validation/accuracy", {})
    assert (trial / "metrics.jsonl").read_bytes() == (plain / "metrics.jsonl").read_bytes()
    assert "checks" not in found.data and "checks" in alone.data
    assert "estimate" not in found.summary and "estimate" in alone.summary


def test_concluded_it_is_what_a_run_of_its_own_is(copy: Path, plain: Path) -> None:
    before = read_outcome(copy)
    found, alone = conclude(copy), read_outcome(plain)
    assert found == read_outcome(copy)
    assert (found.metrics, found.intervals) == (alone.metrics, alone.intervals)
    assert found.summary["baseline"] == alone.summary["baseline"]
    assert (found.status, found.cost, found.finished) == ("done", before.cost, before.finished)
    for name in ("report.html", "model/README.md", "predictions/test.parquet", "predictions/baseline.parquet"):
        assert (copy / name).is_file(), name
    ours, theirs = ((folder / "model" / "model.safetensors").read_bytes() for folder in (copy, plain))
    assert ours == theirs
    assert found.data["checks"] == alone.data["checks"]


def test_once_more_changes_nothing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    conclude(copy)
    before = {file: file.stat().st_mtime_ns for file in copy.rglob("*") if file.is_file()}
    conclude(copy)
    assert {file: file.stat().st_mtime_ns for file in copy.rglob("*") if file.is_file()} == before
    assert "tested already" in capsys.readouterr().out
    (copy / "report.html").unlink()
    conclude(copy)
    assert (copy / "report.html").is_file()


@pytest.mark.parametrize("name", ["evaluate", "save_model"])
def test_cut_off_in_its_middle_it_is_done_again(copy: Path, plain: Path, name: str) -> None:
    class Killed(BaseException): ...

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    before = read_outcome(copy)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(conclusion.result, name, dies)
        conclude(copy)
    assert read_outcome(copy) == before
    assert conclude(copy).metrics == read_outcome(plain).metrics


def test_a_signal_leaves_it_as_it_was(copy: Path) -> None:
    before = read_outcome(copy)
    with pytest.raises(InterruptedRunError), Stop(copy) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        conclude_trial(read(copy), copy, stop)
    assert read_outcome(copy) == before


def test_what_cannot_be_concluded_says_why(copy: Path, plain: Path) -> None:
    with pytest.raises(UserError, match="is no trial of a sweep"):
        conclude(plain)
    write_outcome(copy, replace(read_outcome(copy), status="paused"))
    with pytest.raises(UserError, match="has not come to its end: it is paused"):
        conclude(copy)


def test_without_a_checkpoint_there_is_nothing_to_test(tmp_path: Path) -> None:
    directory = trial_in(tmp_path, "callback=[]")
    with answered(directory, lambda _: True):
        outcome = train(directory)
    assert outcome.status == "done" and "validation/accuracy" in outcome.metrics
    with pytest.raises(UserError, match="kept no checkpoint"):
        conclude(directory)


def test_one_that_waited_twice_has_the_metrics_of_one_that_did_not(trial: Path, tmp_path: Path) -> None:
    directory = trial_in(tmp_path, rungs=(1, 2))
    for rung in (1, 2):
        with answered(directory, lambda ask, rung=rung: ask.validations < rung):  # type: ignore[misc]
            outcome = train(directory, resume=rung > 1)
        assert (outcome.status, outcome.error) == ("paused", "")
        assert json.loads((directory / "outcome.json").read_text())["status"] == "paused"
        write_answer(directory, Answer(rung, True))
    found, whole = train(directory, resume=True), read_outcome(trial)
    assert (found.status, found.metrics, found.best, found.steps) == ("done", whole.metrics, whole.best, whole.steps)
    assert (directory / "metrics.jsonl").read_bytes() == (trial / "metrics.jsonl").read_bytes()
    for ours, theirs in zip(*(sorted((d / "checkpoints").rglob("*")) for d in (directory, trial)), strict=True):
        assert ours.is_dir() or ours.suffix != ".safetensors" or ours.read_bytes() == theirs.read_bytes()
