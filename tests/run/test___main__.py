"""The process that trains, as the command line calls it: refusals and exit codes."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.outcome import Outcome
from espalier.core.rundir import create, read_outcome
from espalier.run.__main__ import _code, main
from run.trials import answered, trial_in


@pytest.fixture(autouse=True)
def own_finders(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process changes for itself is put back."""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])


def called(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["python -m espalier.run", *words])
    return main()


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        ("done", "", 0),
        ("paused", "", 0),
        ("failed", "x", 1),
        ("interrupted", "stopped by SIGINT", 130),
        ("interrupted", "SIGTERM", 143),
    ],
)
def test_exit_codes(status: str, error: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert _code(Outcome(status, "n", 0, "", 1, "host", error=error)) == code  # type: ignore[arg-type]


@pytest.mark.parametrize(("status", "code"), [("running", 0), ("interrupted", 0), ("failed", 1)])
def test_other_ranks_end_in_silence_unless_they_failed(status: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert _code(Outcome(status, "n", 0, "", 1, "host")) == code  # type: ignore[arg-type]


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thesis.txt").touch()
    assert called(monkeypatch, str(tmp_path)) == 2
    assert (tmp_path / "thesis.txt").exists()


def test_a_run_is_not_begun_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = compose(["model=lstm", "adapter=full", "hardware=cpu", "tracking=none"])
    check(experiment)
    directory = create(tmp_path, "n")
    write(experiment, directory)
    (directory / "metrics.jsonl").write_text('{"step": 1, "epoch": 0}\n')
    assert called(monkeypatch, str(directory)) == 1
    assert "--resume" in capsys.readouterr().err
    assert (directory / "metrics.jsonl").stat().st_size > 0


def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.csv").write_text("text,label\na,x\nb,x\n")
    experiment = compose(
        ["data=csv", "data.path=one.csv", "model=lstm", "adapter=full", "hardware=cpu", "tracking=none"]
    )
    check(experiment)
    directory = create(tmp_path / "outputs", "n")
    write(experiment, directory)
    assert called(monkeypatch, str(directory)) == 2
    assert not directory.parent.exists()


def test_a_disk_that_is_full_as_it_begins_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = trial_in(tmp_path)

    def full(place: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(place / "lock"))

    monkeypatch.setattr("espalier.run.__main__.held", full)
    assert called(monkeypatch, str(directory)) == 1
    said = capsys.readouterr().err
    assert f"There is no room for {directory}/lock." in said and "Traceback" not in said


@pytest.mark.parametrize("resume", [False, True])
def test_a_signal_before_it_begins_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], resume: bool
) -> None:
    experiment = compose(["model=lstm", "adapter=full", "hardware=cpu", "tracking=none"])
    directory = create(tmp_path / "outputs", "n")
    write(experiment, directory)
    monkeypatch.setattr("espalier.run.fit.assemble", lambda **_: os.kill(os.getpid(), signal.SIGINT))
    assert called(monkeypatch, str(directory), *(["--resume"] if resume else [])) == 130
    assert "stopped by SIGINT before anything was trained" in capsys.readouterr().err
    assert directory.parent.exists() is resume
    if resume:
        assert read_outcome(directory).status == "interrupted"


def test_a_trial_that_a_signal_meets_before_it_begins_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = trial_in(tmp_path)
    monkeypatch.setattr("espalier.run.fit.assemble", lambda **_: os.kill(os.getpid(), signal.SIGTERM))
    assert called(monkeypatch, str(directory)) == 143
    assert read_outcome(directory).status == "interrupted"


def test_a_trial_that_cannot_begin_stays_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.csv").write_text("text,label\na,x\nb,x\n")
    words = ("data=csv", "data.path=one.csv", "model=lstm", "adapter=full", "hardware=cpu", "tracking=none")
    directory = trial_in(tmp_path, *words, small=False)
    assert called(monkeypatch, str(directory)) == 2
    outcome = read_outcome(directory)
    assert outcome.status == "failed" and "one class only" in outcome.error


def test_a_trial_from_its_first_step_to_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = trial_in(tmp_path, "trainer.max_epochs=2", rungs=(1,))
    with answered(directory, lambda _: False):
        assert called(monkeypatch, str(directory)) == 0
    assert read_outcome(directory).status == "paused"
    assert "paused   4 steps" in capsys.readouterr().out
    assert called(monkeypatch, str(directory), "--conclude") == 2
    assert "has not come to its end" in capsys.readouterr().err
    (directory / "answer.json").unlink()
    with answered(directory, lambda _: True):
        assert called(monkeypatch, str(directory), "--resume") == 0
    assert "done   validation accuracy" in capsys.readouterr().out
    assert called(monkeypatch, str(directory), "--conclude") == 0
    assert "test/accuracy" in read_outcome(directory).metrics
    with pytest.raises(SystemExit):
        called(monkeypatch, str(directory), "--conclude", "--resume")
