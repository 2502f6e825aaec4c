"""What training costs, counted without slowing it down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from callback.tiny import Loader, Tiny, run_info, trainer
from espalier.callback.throughput import Throughput, peak_memory
from espalier.core.outcome import Cost


@pytest.fixture
def throughput(tmp_path: Path) -> Throughput:
    return Throughput(run_info(tmp_path))


def fit(throughput: Throughput, folder: Path, module: Tiny | None = None, **more: Any) -> pl.Trainer:
    made = trainer(throughput, folder, **more)
    made.fit(module or Tiny(), Loader(5), Loader(2))
    return made


def test_counts_samples_and_tokens_of_training(throughput: Throughput, tmp_path: Path) -> None:
    fit(throughput, tmp_path, max_epochs=2)
    assert (throughput.usage.samples, throughput.usage.tokens) == (40, 90)
    cost = throughput.cost()
    assert cost["samples_per_second"] == pytest.approx(40 / cost["train_seconds"])
    assert cost["tokens_per_second"] == pytest.approx(90 / cost["train_seconds"])
    assert cost["device_seconds"] == cost["train_seconds"]
    assert Cost(**cost).train_seconds > 0


def test_validation_is_not_training(throughput: Throughput, tmp_path: Path) -> None:
    fit(throughput, tmp_path, Tiny(step=0.01, validation=0.2))
    assert 0.05 <= throughput.usage.seconds < 0.2


def test_saving_is_not_training(throughput: Throughput, tmp_path: Path) -> None:
    class SlowSaver(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.global_step == 3:
                trainer.save_checkpoint(tmp_path / "x.ckpt")
                sleep(0.3)

    made = trainer(throughput, tmp_path)
    made.callbacks.append(SlowSaver())
    made.fit(Tiny(step=0.01), Loader(5), Loader(2))
    assert 0.05 <= throughput.usage.seconds < 0.3


def test_adds_up_over_a_resume(tmp_path: Path) -> None:
    first, second = Throughput(run_info(tmp_path)), Throughput(run_info(tmp_path))
    made = fit(first, tmp_path, Tiny(step=0.02))
    made.save_checkpoint(tmp_path / "last.ckpt")
    later = trainer(second, tmp_path, max_epochs=2)
    later.fit(Tiny(step=0.02), Loader(5), Loader(2), ckpt_path=tmp_path / "last.ckpt", weights_only=False)
    assert (second.usage.samples, second.usage.tokens) == (40, 90)
    assert second.usage.seconds >= first.usage.seconds + 0.1
    assert second.usage.memory >= first.usage.memory


def test_a_checkpoint_in_an_epoch_knows_every_batch_before_it(throughput: Throughput, tmp_path: Path) -> None:
    fit(throughput, tmp_path, max_steps=3)
    assert throughput.state_dict()["samples"] == 12
    assert all(type(value) in (int, float) for value in throughput.state_dict().values())


def test_a_run_that_breaks_has_its_cost(throughput: Throughput, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it broke"):
        fit(throughput, tmp_path, Tiny(step=0.01, fail_at=3))
    assert throughput.usage.samples == 16
    assert throughput.cost()["train_seconds"] >= 0.03


def test_a_step_costs_three_microseconds_at_most(throughput: Throughput) -> None:
    batch = {"samples": 4, "tokens": 9}
    rounds = 20_000
    best = min(timed(lambda: throughput.on_train_batch_start(None, None, batch, 0), rounds) for _ in range(5))
    assert best < 3e-6


def timed(call: Any, rounds: int) -> float:
    began = perf_counter()
    for _ in range(rounds):
        call()
    return (perf_counter() - began) / rounds


def test_memory_is_the_peak_and_stays_when_memory_is_given_back() -> None:
    before = peak_memory(torch.device("cpu"))
    block = b"x" * before
    during = peak_memory(torch.device("cpu"))
    assert during >= before + len(block) // 8
    del block
    assert peak_memory(torch.device("cpu")) == pytest.approx(during, rel=0.01)  # the kernel counts by batches


@pytest.mark.slow
def test_ranks_are_added_up(tmp_path: Path) -> None:
    program = f"""
import sys, warnings
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from callback.tiny import Loader, Tiny, run_info, trainer
from espalier.callback.throughput import Throughput, peak_memory
folder = Path({str(tmp_path)!r})
throughput = Throughput(run_info(folder))
made = trainer(throughput, folder, devices=2, strategy="ddp", use_distributed_sampler=False)
made.fit(Tiny(step=0.01), Loader(5), Loader(2))
usage = throughput.usage
if made.is_global_zero:
    both = usage.device_seconds > 1.5 * usage.seconds, usage.memory > 1.5 * peak_memory(made.strategy.root_device)
    print(usage.samples, usage.tokens, *both)
"""
    script = tmp_path / "two.py"
    script.write_text(program)
    answer = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert answer.stdout.strip().splitlines()[-1:] == ["40 90 True True"], answer.stderr
