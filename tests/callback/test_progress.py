"""How far training is: on a terminal, in a log, after a resume, when it breaks."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from callback.tiny import Loader, Tiny, run_info, trainer
from espalier.callback.progress import Progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def progress(folder: Path, seconds: float = 0.02) -> Progress:
    return Progress(run_info(folder), refresh_seconds=seconds, line_seconds=seconds)


@contextmanager
def pseudo_terminal(monkeypatch: pytest.MonkeyPatch, width: int = 80) -> Iterator[list[bytes]]:
    """Standard output is a real terminal device; what was written to it is in the list afterwards."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    written: list[bytes] = []
    reader = Thread(target=drain, args=(master, written))
    reader.start()
    with monkeypatch.context() as patch, os.fdopen(slave, "w") as output:
        patch.setattr(sys, "stdout", output)
        patch.setenv("TERM", "xterm-256color")
        patch.delenv("COLUMNS", raising=False)
        yield written
    reader.join()
    os.close(master)


def drain(master: int, written: list[bytes]) -> None:
    try:
        while block := os.read(master, 65536):
            written.append(block)
    except OSError:  # the other end is closed
        return


def test_a_log_gets_a_line_now_and_then_and_one_for_each_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer(progress(tmp_path), tmp_path, max_epochs=2).fit(Tiny(step=0.01, validation=0.01), Loader(10), Loader(5))
    lines = capsys.readouterr().out.splitlines()
    assert any(re.fullmatch(r"epoch 1/2  +\d+%   loss 0\.250   \d+ texts/s   0:00:0\d left", line) for line in lines)
    assert any(re.fullmatch(r"epoch 2/2 validation  +\d+%", line) for line in lines)
    staying = [line for line in lines if "accuracy" in line]
    assert [line.rsplit("   ", 1)[0] for line in staying] == [
        f"epoch {n}/2   loss 0.250   validation accuracy 0.861" for n in (1, 2)
    ]
    assert "\x1b" not in "".join(lines)


def test_the_loss_is_the_epochs_own_and_no_part_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Falls(Tiny):
        def training_step(self, batch: dict[str, Any], batch_idx: int) -> torch.Tensor:
            return super().training_step(batch, batch_idx) + 0.5 - 0.5 * self.current_epoch

    made = trainer(progress(tmp_path, 9), tmp_path, max_epochs=2, accumulate_grad_batches=5)
    made.fit(Falls(), Loader(10), Loader(1))
    shown = [re.findall(r"loss (\d\.\d+)", line)[0] for line in capsys.readouterr().out.splitlines()]
    assert shown == ["0.750", "0.250"]


def test_a_terminal_gets_a_bar_that_leaves_only_the_epochs_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pseudo_terminal(monkeypatch) as written:
        made = trainer(progress(tmp_path, 0.001), tmp_path, max_epochs=2)
        made.fit(Tiny(step=0.005, validation=0.005), Loader(8), Loader(4))
        made.test(Tiny(validation=0.005), Loader(4), verbose=False)
    raw = b"".join(written).decode()
    frames = [ESCAPES.sub("", frame).strip() for frame in raw.split("\x1b[2K")]
    assert any(re.match(r"epoch 2/2 ━+[╸╺]━+ +50%   loss 0\.250   \d+ texts/s   0:00:0\d left", f) for f in frames)
    assert any(re.match(r"epoch 1/2 validation ━+[╸╺]━+ +50%", frame) for frame in frames)
    assert any(re.match(r"test ━+ +100%", frame) for frame in frames)
    assert sum("accuracy 0.861" in frame for frame in frames) == 2
    assert raw.count("\x1b[?25l") == raw.count("\x1b[?25h") > 0


def test_an_exception_gives_the_terminal_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pseudo_terminal(monkeypatch) as written:
        own = sys.stdout
        with pytest.raises(ValueError, match="it broke"):
            trainer(progress(tmp_path, 0.001), tmp_path).fit(Tiny(step=0.005, fail_at=4), Loader(8))
        assert sys.stdout is own
    raw = b"".join(written).decode()
    assert raw.rindex("\x1b[?25h") > raw.rindex("\x1b[?25l")


def test_a_resume_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = trainer(progress(tmp_path), tmp_path, max_epochs=2, limit_val_batches=0)
    first.fit(Tiny(), Loader(10))
    first.save_checkpoint(tmp_path / "last.ckpt")
    capsys.readouterr()
    resumed = trainer(progress(tmp_path, 0.001), tmp_path, max_epochs=4, limit_val_batches=0)
    resumed.fit(Tiny(step=0.02), Loader(10), ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"epoch 3/4  +10%.*0:00:0\d left", lines[0])
    assert lines[-1].startswith("epoch 4/4   loss")


def test_a_resume_within_an_epoch_has_a_speed_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Saves(Progress):
        def on_train_batch_end(self, *given: Any) -> None:
            if given[4] == 3:
                given[0].save_checkpoint(tmp_path / "last.ckpt")

    first = trainer(Saves(run_info(tmp_path), refresh_seconds=9, line_seconds=9), tmp_path, limit_val_batches=0)
    first.fit(Tiny(), Loader(10))
    capsys.readouterr()
    resumed = trainer(progress(tmp_path, 0.001), tmp_path, limit_val_batches=0)
    resumed.fit(Tiny(step=0.02), Loader(10), ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert re.match(r"epoch 1/1  +50%.* texts/s", capsys.readouterr().out)


def test_the_end_may_be_given_in_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trainer(progress(tmp_path), tmp_path, max_steps=10, max_epochs=-1, accumulate_grad_batches=2)
    made.fit(Tiny(), Loader(8))
    assert "epoch 3/3" in capsys.readouterr().out


def test_an_endless_run_has_no_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trainer(progress(tmp_path, 0.001), tmp_path, max_epochs=-1, max_time={"seconds": 1})
    made.fit(Tiny(step=0.05), Loader(4))
    out = capsys.readouterr().out
    assert re.search(r"epoch 1 +25%   loss", out)
    assert "left" not in out


@pytest.mark.parametrize(("kind", "unit"), [("text", "texts"), ("image", "images"), ("vector", "samples")])
def test_samples_are_called_what_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, unit: str
) -> None:
    trainer(progress(tmp_path, 0.001), tmp_path).fit(Tiny(step=0.005, kind=kind), Loader(4))
    assert f" {unit}/s" in capsys.readouterr().out


def test_other_ranks_are_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = progress(tmp_path, 0.001)
    follower: Any = SimpleNamespace(
        is_global_zero=False, num_training_batches=4, max_epochs=1, max_steps=-1, accumulate_grad_batches=1
    )
    callback.on_train_start(follower, Tiny())
    callback.on_train_epoch_start()
    callback.on_train_batch_end(follower, None, {"loss": torch.tensor(1.0)}, {"samples": 4}, 0)
    callback.on_train_epoch_end(follower)
    assert capsys.readouterr().out == ""


def test_a_step_without_drawing_costs_three_microseconds_at_most(tmp_path: Path) -> None:
    class Unread(torch.Tensor):
        def item(self) -> float:
            raise AssertionError("the loss was read without being shown")

    callback = progress(tmp_path, 1e6)
    made = trainer(callback, tmp_path)
    made.fit(Tiny(), Loader(1))
    callback._due = perf_counter() + 1e6
    outputs, batch = {"loss": torch.tensor(1.0).as_subclass(Unread)}, {"samples": 4}
    rounds = 20_000
    best = float("inf")
    for _ in range(5):
        began = perf_counter()
        for _ in range(rounds):
            callback.on_train_batch_end(made, None, outputs, batch, 0)
        best = min(best, (perf_counter() - began) / rounds)
    assert best < 3e-6
