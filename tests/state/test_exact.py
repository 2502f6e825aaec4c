from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from data.examples import texts
from espalier.batch.gather import Gather
from espalier.batch.loader import Loader
from espalier.batch.order import Sampler, Share, shuffled
from espalier.core.errors import CorruptError
from espalier.state import folder
from espalier.state.exact import metrics_bytes
from state.harness import Net, SaveAt, difference, fit, traces


class Plateau(Net):
    """A schedule that looks at an epoch's metric when the epoch has ended."""

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), 0.05)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "epoch", "monitor": "epoch_loss"},
        }


class TwoOptimizers(Net):
    """Optimizes by hand, as a GAN does."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.seen.append((self.current_epoch, batch_idx, self.global_step))
        for optimizer in self.optimizers():
            loss = self.net(batch).square().mean() + random.random()
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        self.log("loss", loss, on_step=True, on_epoch=True)

    def configure_optimizers(self) -> Any:
        first, second = self.net[0].parameters(), self.net[3].parameters()
        return [torch.optim.Adam(first, 0.05), torch.optim.SGD(second, 0.05, momentum=0.9)]


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "accumulation": {"accumulate_grad_batches": 2},
    "max_steps": {"max_steps": 13, "max_epochs": -1},
    "max_steps and accumulation": {"max_steps": 8, "accumulate_grad_batches": 2},
    "validation twice an epoch": {"val_check_interval": 0.4},
    "validation every so many steps": {"val_check_interval": 3, "check_val_every_n_epoch": None},
    "validation every other epoch": {"check_val_every_n_epoch": 2},
    "no validation": {"limit_val_batches": 0},
    "a part of an epoch": {"limit_train_batches": 3},
    "plateau": {"module": Plateau},
    "two optimizers": {"module": TwoOptimizers},
}


@pytest.mark.parametrize("case", CASES)
def test_stopped_anywhere_and_resumed(tmp_path: Path, case: str) -> None:
    watch = SaveAt(tmp_path)
    undisturbed = fit(tmp_path / "whole", watch, **CASES[case])
    want, whole = traces(undisturbed, tmp_path / "whole"), net_of(undisturbed)
    assert len(watch.places) >= 8
    for number in range(len(watch.places)):
        run, saved = tmp_path / f"run{number}", tmp_path / f"saved{number}"
        with pytest.raises(SaveAt.Killed):
            fit(run, SaveAt(saved, number), **CASES[case])
        rest = SaveAt(tmp_path)
        resumed = fit(run, rest, resume=saved, seed=7 + number, **CASES[case])
        assert difference(want, traces(resumed, run)) == "", f"stopped at {watch.places[number]}"
        assert rest.places == watch.places[number + 1 :]
        done = len(whole.seen) - len(net_of(resumed).seen)
        assert net_of(resumed).seen == whole.seen[done:], "epoch, batch_idx or global_step differ"


def test_validation_is_neither_repeated_nor_left_out(tmp_path: Path) -> None:
    for number in range(6):
        with pytest.raises(SaveAt.Killed):
            fit(tmp_path / "run", SaveAt(tmp_path / "saved", number), batches=2)
        before = number // 2 + number % 2
        resumed = fit(tmp_path / "run", resume=tmp_path / "saved", batches=2)
        assert net_of(resumed).validations == 3 - before


class Noting(Net):
    """Notes which rows it sees, in which epoch."""

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        self.seen += [(self.current_epoch, row, self.global_step) for row in batch["row"].tolist()]
        return self.net(torch.ones(1, 3)).sum()


@pytest.mark.parametrize("number", [1, 2, 4])  # within an epoch of three steps, at its end, within the next
def test_resumed_in_smaller_micro_batches_it_sees_each_row_once(tmp_path: Path, number: int) -> None:
    def loader(accumulate: int) -> Any:
        sampler = Sampler(12, 4, Share(accumulate=accumulate), lambda epoch: shuffled(12, 4, 0, epoch))
        return Loader(Gather(texts(12), {"text": 0}), sampler)

    whole = net_of(fit(tmp_path / "whole", module=Noting, loader=loader(1), max_epochs=2)).seen
    run, saved = tmp_path / "run", SaveAt(tmp_path / "saved", number)
    with pytest.raises(SaveAt.Killed):
        fit(run, saved, module=Noting, loader=loader(1), max_epochs=2)
    more: dict[str, Any] = {"accumulate_grad_batches": 2, "resume": saved.folder}
    resumed = fit(run, module=Noting, loader=loader(2), max_epochs=2, **more)
    assert sorted(net_of(resumed).seen) == sorted(seen for seen in whole if seen[2] >= saved.places[-1][0])
    assert resumed.global_step == 6


def test_stopped_twice(tmp_path: Path) -> None:
    want = traces(fit(tmp_path / "whole"), tmp_path / "whole")
    run = tmp_path / "run"
    with pytest.raises(SaveAt.Killed):
        fit(run, SaveAt(run / "a", 2))
    with pytest.raises(SaveAt.Killed):
        fit(run, SaveAt(run / "b", 4), resume=run / "a", seed=5)
    assert difference(want, traces(fit(run, resume=run / "b", seed=6), run)) == ""


def test_lines_after_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    want = traces(fit(tmp_path / "whole"), tmp_path / "whole")
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "run", SaveAt(tmp_path / "saved", 6))
    lines = tmp_path / "run" / "metrics.jsonl"
    assert metrics_bytes(tmp_path / "saved") == lines.stat().st_size
    with lines.open("a") as file:
        file.write('{"step": 8, "lost": true}\n{"step": 9, "lo')
    assert difference(want, traces(fit(tmp_path / "run", resume=tmp_path / "saved"), tmp_path / "run")) == ""


def test_a_loader_that_shuffles_by_the_global_state_is_exact_between_epochs(tmp_path: Path) -> None:
    def train(folder: Path, *callbacks: pl.Callback, resume: Path | None = None, seed: int = 0) -> pl.Trainer:
        rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
        return fit(folder, *callbacks, resume=resume, seed=seed, loader=DataLoader(rows, shuffle=True))

    want = traces(train(tmp_path / "whole"), tmp_path / "whole")
    for number in (4, 9, 14):
        run = tmp_path / f"run{number}"
        with pytest.raises(SaveAt.Killed):
            train(run, SaveAt(run / "saved", number))
        assert difference(want, traces(train(run, resume=run / "saved", seed=3), run)) == ""


def saved_and_resumed(folder: Path, **means: str) -> None:
    class Others(SaveAt):
        def on_load_checkpoint(self, trainer: pl.Trainer, _: Any, checkpoint: dict[str, Any]) -> None:
            checkpoint["espalier"]["means"] |= means

    with pytest.raises(SaveAt.Killed):
        fit(folder, SaveAt(folder / "saved", 1))
    fit(folder, Others(folder), resume=folder / "saved")


@pytest.mark.parametrize(
    ("name", "before"), [("threads", "7"), ("processes", "2"), ("torch", "1.0"), ("precision", "64")]
)
def test_a_resume_by_other_means_is_told_in_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, before: str
) -> None:
    saved_and_resumed(tmp_path, **{name: before})
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "bit for bit" in line]
    assert line.startswith(f"going on with {name} ") and f" in place of {before}: " in line


def test_a_resume_by_the_same_means_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved_and_resumed(tmp_path)
    assert "bit for bit" not in capfd.readouterr().err


def test_what_a_later_version_wrote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path, SaveAt(tmp_path / "saved", 1))
    checkpoint = folder.read(tmp_path / "saved")
    checkpoint["espalier"]["schema"] += 1
    folder.write(tmp_path / "saved", checkpoint, step=2)
    with pytest.raises(CorruptError, match="of schema 2"):
        fit(tmp_path, resume=tmp_path / "saved")


def test_length_of_metrics_is_read_from_whole_checkpoints_only(tmp_path: Path) -> None:
    with pytest.raises(CorruptError):
        metrics_bytes(tmp_path)


@pytest.mark.slow
def test_two_ranks_are_exact_and_stop_and_save_together(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = Path(__file__).parent
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "NODE_RANK": "0"}
    place["PYTHONPATH"] = str(here.parent)
    command = [sys.executable, str(here / "two_ranks.py"), str(tmp_path)]
    ranks = [
        subprocess.Popen(
            command, env={**os.environ, **place, "LOCAL_RANK": str(rank)}, stdout=subprocess.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        answers = [json.loads(rank.communicate(timeout=120)[0].splitlines()[-1]) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    # No difference after any stop; rank 1's signal at step 4; rank 0's clock, asked at every 16th.
    assert answers == [[[], [4, "SIGTERM"], [16, 20, 32, 40]]] * 2


def net_of(trainer: pl.Trainer) -> Any:
    return trainer.lightning_module
