from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from espalier.callback.checkpoint import Checkpoint
from espalier.core.errors import InterruptedRunError
from espalier.run.stop import Stop
from state.harness import Net, difference, fit, run_info, traces, trainer_in

SIGNALS = ["SIGTERM", "SIGINT", "SIGUSR1"]


class Sends(pl.Callback):
    """A signal to this process, in the middle of a step, in its micro-batch or in a validation."""

    def __init__(self, name: str, batch: int = -1, hook: str = "on_after_backward") -> None:
        self.number, self.batch = getattr(signal, name), batch
        setattr(self, hook, self.hear)

    def hear(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.total_batch_idx == self.batch:
            os.kill(os.getpid(), self.number)


def run_and_stop(folder: Path, *callbacks: pl.Callback, resume: Path | None = None, **more: Any) -> tuple[str, int]:
    """The signal's name and the step that was saved, ("", step) if the run came to its end."""
    with Stop(folder) as stop:
        try:
            trainer = fit(folder, *callbacks, stop, resume=resume, **more)
        except InterruptedRunError as error:
            newest = stop.store.newest()
            return error.signal_name, newest.step if newest else -1
    return "", trainer.global_step


@pytest.mark.parametrize("name", SIGNALS)
def test_ends_at_the_next_step_with_a_checkpoint(tmp_path: Path, name: str) -> None:
    want = traces(fit(tmp_path / "whole"), tmp_path / "whole")
    assert run_and_stop(tmp_path / "run", Sends(name, 6)) == (name, 7)
    resumed = fit(tmp_path / "run", resume=Stop(tmp_path / "run").store.path_of(7), seed=5)
    assert difference(want, traces(resumed, tmp_path / "run")) == ""


def test_accumulation_is_finished_first(tmp_path: Path) -> None:
    assert run_and_stop(tmp_path, Sends("SIGTERM", 2), accumulate_grad_batches=2) == ("SIGTERM", 2)


@pytest.mark.parametrize(("batch", "hook"), [(4, "on_after_backward"), (4, "on_validation_start")])
def test_an_epochs_last_step_is_validated_first(tmp_path: Path, batch: int, hook: str) -> None:
    want = traces(fit(tmp_path / "whole"), tmp_path / "whole")
    run = tmp_path / "run"
    checkpoint = Checkpoint(run_info(run), every_n_steps=None, every_minutes=None)
    assert run_and_stop(run, Sends("SIGTERM", batch, hook), checkpoint) == ("SIGTERM", 5)
    best = checkpoint.store.best()
    assert best and best.step == 5, "the epoch's checkpoint is judged before the run ends"
    again = Checkpoint(run_info(run), every_n_steps=None, every_minutes=None)
    assert difference(want, traces(fit(run, again, resume=checkpoint.store.path_of(5)), run)) == ""


def test_a_step_that_is_saved_is_not_saved_again(tmp_path: Path) -> None:
    class Counts(pl.Callback):
        saved = 0

        def on_save_checkpoint(self, *_: Any) -> None:
            self.saved += 1

    counts, checkpoint = Counts(), Checkpoint(run_info(tmp_path), every_n_steps=1, every_minutes=None)
    assert run_and_stop(tmp_path, Sends("SIGTERM", 2), counts, checkpoint) == ("SIGTERM", 3)
    assert counts.saved == 3


def test_nothing_happens_without_a_signal(tmp_path: Path) -> None:
    assert run_and_stop(tmp_path) == ("", 15)
    assert not (tmp_path / "checkpoints").exists()


def test_handlers_are_ours_while_it_trains_and_those_before_afterwards(tmp_path: Path) -> None:
    class Looks(pl.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            self.handlers = [signal.getsignal(getattr(signal, name)) for name in SIGNALS]

    before = [signal.getsignal(getattr(signal, name)) for name in SIGNALS]
    looks = Looks()
    with Stop(tmp_path) as stop:
        fit(tmp_path, looks, stop, max_epochs=1)
        assert looks.handlers == [stop._hear] * 3
        assert [signal.getsignal(getattr(signal, name)) for name in SIGNALS] == looks.handlers
    assert [signal.getsignal(getattr(signal, name)) for name in SIGNALS] == before


def test_a_forked_worker_hears_nothing(tmp_path: Path) -> None:
    with Stop(tmp_path) as stop:
        if (child := os.fork()) == 0:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            os._exit(stop.heard)
        assert os.waitpid(child, 0)[1] == 0 and stop.heard == 0


def test_a_test_ends_at_its_next_batch(tmp_path: Path) -> None:
    class Tested(Net):
        def test_step(self, batch: torch.Tensor, batch_idx: int) -> None:
            if batch_idx == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            assert batch_idx < 2

    with Stop(tmp_path) as stop, pytest.raises(InterruptedRunError, match="SIGTERM"):
        trainer_in(tmp_path, stop).test(Tested(), torch.utils.data.DataLoader(torch.eye(3)))


@pytest.mark.parametrize("name", SIGNALS)
def test_before_a_run_has_begun_it_ends_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(InterruptedRunError, match=name), Stop(tmp_path):
        try:
            os.kill(os.getpid(), getattr(signal, name))
        except Exception as error:
            raise AssertionError("somebody took it for an error of his own") from error


def test_the_second_interrupt_ends_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if (child := os.fork()) == 0:
        with Stop(tmp_path) as stop:
            stop.begun = True
            os.kill(os.getpid(), signal.SIGINT)
            if stop.heard == signal.SIGINT:
                os.kill(os.getpid(), signal.SIGINT)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGINT
    assert "once more ends at once" in capfd.readouterr().err


def test_an_interrupt_that_nobody_can_be_told_of_is_obeyed(tmp_path: Path) -> None:
    """As after Ctrl-C in ``espalier train 2>&1 | tee log``: tee has gone first."""
    into, out_of = os.pipe()
    os.close(into)
    before = os.dup(2)
    os.dup2(out_of, 2)
    try:
        assert run_and_stop(tmp_path, Sends("SIGINT", 6)) == ("SIGINT", 7)
    finally:
        os.dup2(before, 2)


def test_lines_of_the_stopped_run_are_those_of_its_steps(tmp_path: Path) -> None:
    run_and_stop(tmp_path, Sends("SIGUSR1", 1))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 1]
