"""A trial's questions: when they are asked, what the answers do, and that no moment of a kill is a bad one."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from espalier.callback.checkpoint import Checkpoint
from espalier.core.errors import InterruptedRunError, PausedRunError
from espalier.core.trial import Answer, Ask, Trial, read_ask, write_answer
from espalier.run import rungs
from espalier.run.rungs import Rungs
from espalier.run.stop import Stop
from run.trials import SWEEP, answered
from state.harness import Net, difference, fit, run_info, traces

TRIAL = Trial(SWEEP, 3, "3fa9c1-3", "lr=0.1", rungs=(1, 2))  # three epochs of five steps: three validations


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run that nobody asks comes to."""
    folder = tmp_path_factory.mktemp("whole")
    return traces(fit(folder, *parts(folder, replace(TRIAL, rungs=()))[0]), folder)


def parts(folder: Path, trial: Trial = TRIAL) -> tuple[list[pl.Callback], Stop]:
    info, stop = run_info(folder), Stop(folder)
    checkpoint = Checkpoint(info, every_n_steps=None, every_minutes=None)
    return [checkpoint, stop, Rungs(info, trial, stop)], stop


def go(folder: Path, *more: pl.Callback, trial: Trial = TRIAL) -> pl.Trainer:
    """From the newest checkpoint, in what might be a new process."""
    callbacks, stop = parts(folder, trial)
    saved = stop.store.newest()
    with stop:
        return fit(folder, *more, *callbacks, resume=saved.path if saved else None, seed=5 if saved else 0)


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_asks_at_its_rungs_with_what_it_logged(tmp_path: Path, whole: dict[str, Any]) -> None:
    with answered(tmp_path, lambda _: True) as asked:
        trainer = go(tmp_path)
    scores = {line["step"] + 1: line["score"] for line in metrics(tmp_path) if "score" in line}
    assert asked == [Ask(1, 5, pytest.approx(scores[5])), Ask(2, 10, pytest.approx(scores[10]))]
    assert difference(whole, traces(trainer, tmp_path)) == "", "being asked changes nothing"


class Other(pl.Callback):
    """A second metric of the validation."""

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.log("other", 100.0 + trainer.global_step)


@pytest.mark.parametrize(
    ("objective", "told"),
    [("other", [(105.0, False), (110.0, False)]), ("nothing", [(None, True), (None, True)])],
)
def test_it_asks_with_what_its_sweep_is_judged_by(tmp_path: Path, objective: str, told: list[Any]) -> None:
    """Where that is no metric, with the names of those that there are, and not with another one's value."""
    with answered(tmp_path, lambda _: True) as asked:
        go(tmp_path, Other(), trial=replace(TRIAL, objective=objective))
    assert [(ask.value, {"score", "other"} <= set(ask.others)) for ask in asked] == told


@pytest.mark.parametrize("ends", [{}, {"max_steps": 12}])
def test_after_its_last_validation_nobody_is_asked(tmp_path: Path, ends: dict[str, int]) -> None:
    """The sweep may not know how many there will be: every one is a rung then, and no answer comes after the last."""
    callbacks, stop = parts(tmp_path, replace(TRIAL, rungs=(1, 2, 3)))
    with answered(tmp_path, lambda ask: ask.validations < 3) as asked, stop:
        fit(tmp_path, *callbacks, **ends)
    assert [ask.validations for ask in asked] == [1, 2]


@pytest.mark.parametrize("last", [1, 2])
def test_one_that_waited_ends_as_if_it_never_had(tmp_path: Path, whole: dict[str, Any], last: int) -> None:
    with answered(tmp_path, lambda ask: ask.validations < last), pytest.raises(PausedRunError, match=f"{last}"):
        go(tmp_path)
    newest = Stop(tmp_path).store.newest()
    assert newest and newest.step == 5 * last
    write_answer(tmp_path, Answer(last, True))  # promoted
    with answered(tmp_path, lambda _: True) as asked:
        trainer = go(tmp_path)
    assert [ask.validations for ask in asked] == list(range(last + 1, 3)), "what is answered is not asked again"
    assert difference(whole, traces(trainer, tmp_path)) == ""


def test_a_pause_stands_until_the_sweep_says_otherwise(tmp_path: Path) -> None:
    for _ in range(2):
        with answered(tmp_path, lambda _: False), pytest.raises(PausedRunError):
            go(tmp_path)
    assert [line["step"] for line in metrics(tmp_path)][-1] < 5, "not a step was trained beyond the rung"


def test_nobody_answers(tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rungs, "_PATIENCE", 0.1)
    with pytest.raises(PausedRunError):
        go(tmp_path)
    assert read_ask(tmp_path) and read_ask(tmp_path).validations == 1  # type: ignore[union-attr]
    with answered(tmp_path, lambda _: True) as asked:
        trainer = go(tmp_path)
    assert [ask.validations for ask in asked] == [1, 2], "the first is asked again, before the first step"
    assert difference(whole, traces(trainer, tmp_path)) == ""


def test_a_question_waits_for_room_on_the_disk(
    tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, full = rungs.write_ask, iter([True, True])

    def with_little_room(directory: Path, ask: Ask) -> None:
        if next(full, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(directory, ask)

    monkeypatch.setattr(rungs, "write_ask", with_little_room)
    with answered(tmp_path, lambda _: True) as asked:
        trainer = go(tmp_path)
    assert [ask.validations for ask in asked] == [1, 2]
    assert difference(whole, traces(trainer, tmp_path)) == ""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_signal_ends_the_waiting(tmp_path: Path, name: str, whole: dict[str, Any]) -> None:
    def send(_: Ask) -> None:
        os.kill(os.getpid(), getattr(signal, name))

    with answered(tmp_path, send), pytest.raises(InterruptedRunError, match=name):
        go(tmp_path)
    with answered(tmp_path, lambda _: True) as asked:
        trainer = go(tmp_path)
    assert [ask.validations for ask in asked] == [1, 2]
    assert difference(whole, traces(trainer, tmp_path)) == ""


class Killed(BaseException):
    """Nothing that anybody catches."""


def killed_at(monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool, number: int) -> None:
    """The process ends before or after it does something for the n-th time."""
    before, calls = getattr(rungs, name), 0

    def dies(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and not after:
            raise Killed
        done = before(*given)
        if calls == number:
            raise Killed
        return done

    monkeypatch.setattr(rungs, name, dies)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("name", ["write_ask", "read_answer", "save"])
def test_killed_at_any_moment(
    tmp_path: Path, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, number: int, after: bool
) -> None:
    verdicts: dict[int, bool] = {}

    def decide(ask: Ask) -> bool:  # each rung pauses it once
        verdicts[ask.validations] = ask.validations in verdicts
        return verdicts[ask.validations]

    kills = pauses = 0
    with monkeypatch.context() as patch:
        killed_at(patch, name, after=after, number=number)
        for _ in range(6):
            with answered(tmp_path, decide):
                try:
                    trainer = go(tmp_path)
                    break
                except Killed:
                    kills += 1
                except PausedRunError:
                    pauses += 1
            ask = read_ask(tmp_path)
            write_answer(tmp_path, Answer(ask.validations if ask else 0, True))
    assert kills == 1 and pauses <= 2
    assert difference(whole, traces(trainer, tmp_path)) == ""


def test_a_value_that_is_no_number_is_none(tmp_path: Path) -> None:
    class Diverged(Net):
        def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
            self.log("score", self.net(batch).square().mean() * math.nan)

    callbacks, stop = parts(tmp_path)
    with answered(tmp_path, lambda _: False) as asked, pytest.raises(PausedRunError), stop:
        fit(tmp_path, *callbacks, module=Diverged)
    assert asked == [Ask(1, 5, None)]


def test_without_a_checkpoint_callback_it_is_saved_all_the_same(tmp_path: Path) -> None:
    info, stop = run_info(tmp_path), Stop(tmp_path)
    with answered(tmp_path, lambda _: False), pytest.raises(PausedRunError), stop:
        fit(tmp_path, stop, Rungs(info, TRIAL, stop))
    newest = stop.store.newest()
    assert newest and newest.step == 5


def test_validations_within_an_epoch_count(tmp_path: Path) -> None:
    undisturbed, run = tmp_path / "whole", tmp_path / "run"
    want = traces(fit(undisturbed, *parts(undisturbed, replace(TRIAL, rungs=()))[0], val_check_interval=2), undisturbed)
    run.mkdir()
    callbacks, stop = parts(run)
    with answered(run, lambda ask: ask.validations < 2) as asked, pytest.raises(PausedRunError), stop:
        fit(run, *callbacks, val_check_interval=2)
    assert [(ask.validations, ask.step) for ask in asked] == [(1, 2), (2, 4)]
    write_answer(run, Answer(2, True))
    callbacks, stop = parts(run)
    with stop:
        trainer = fit(run, *callbacks, val_check_interval=2, resume=stop.store.path_of(4), seed=5)
    assert difference(want, traces(trainer, run)) == ""


RANKS = r"""
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from espalier.core.errors import PausedRunError
from run.test_rungs import parts
from state.harness import fit
folder = Path(sys.argv[1])
callbacks, stop = parts(folder)
saved = stop.store.newest()
with stop:
    try:
        trainer = fit(folder, *callbacks, resume=saved.path if saved else None, devices=2, strategy="ddp")
        os.write(1, f"done {trainer.global_step}\n".encode())  # at once: the other rank writes to the same place
    except PausedRunError as error:
        os.write(1, f"{error}\n".encode())
"""


@pytest.mark.slow
def test_all_ranks_wait_and_go_on_together(tmp_path: Path, root: Path) -> None:
    program = tmp_path / "ranks.py"
    program.write_text(RANKS)
    run = tmp_path / "run"
    run.mkdir()

    def ranks() -> str:
        command = [sys.executable, str(program), str(run), str(root / "tests")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with answered(run, lambda ask: ask.validations < 2) as asked:
        assert ranks().count("waits after validation 2") == 2
    assert [ask.validations for ask in asked] == [1, 2], "one of them asks"
    write_answer(run, Answer(2, True))
    assert ranks().count("done 15") == 2
