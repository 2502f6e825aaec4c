"""One of two processes: trains undisturbed, then stops at each of some boundaries and resumes; says what differs."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from espalier.callback.checkpoint import Checkpoint
from espalier.core.errors import InterruptedRunError
from espalier.run.stop import Stop
from espalier.state.boundary import AtBoundary
from state.harness import SaveAt, difference, fit, run_info, torch_rank, traces

SETTINGS: dict[str, Any] = {"strategy": "ddp", "devices": 2, "accumulate_grad_batches": 2}


def exact(root: Path) -> list[str]:
    """Boundaries after which a resume differs."""
    want = traces(fit(root / "whole", **SETTINGS), root / "whole")
    wrong = []
    for number in (0, 2, 3, 7):
        run, saved = root / f"run{number}", root / f"saved{number}"
        try:
            fit(run, SaveAt(saved, number), **SETTINGS)
        except SaveAt.Killed:
            trainer = fit(run, resume=saved, seed=7 + number + torch_rank(), **SETTINGS)
            if difference(want, traces(trainer, run)):
                wrong.append(f"{number}: {difference(want, traces(trainer, run))}")
    return wrong


def stopped(root: Path) -> list[int | str]:
    """The step and the signal by which rank 1's SIGTERM ends this rank."""

    class Signals(AtBoundary):
        def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
            if trainer.global_rank == 1 and trainer.global_step == 4:
                os.kill(os.getpid(), signal.SIGTERM)

    with Stop(root) as stop:
        try:
            fit(root, Signals(), stop, **SETTINGS)
        except InterruptedRunError as error:
            newest = stop.store.newest()
            return [newest.step if newest else -1, error.signal_name]
    return []


def by_rank_0s_clock(root: Path) -> list[int]:
    """The steps at which a run saves that should save all the time, and whose rank 1 thinks that it never should."""
    steps: list[int] = []

    class Notes(Checkpoint):
        def on_save_checkpoint(self, trainer: pl.Trainer, *_: Any) -> None:
            steps.append(trainer.global_step)

    minutes = 1e-9 if torch_rank() == 0 else 1e9
    checkpoint = Notes(run_info(root), every_n_steps=None, every_minutes=minutes)
    fit(root, checkpoint, strategy="ddp", devices=2, batches=20, max_epochs=2)
    return steps


if __name__ == "__main__":
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    place = Path(sys.argv[1])
    print(json.dumps([exact(place), stopped(place / "stopped"), by_rank_0s_clock(place / "clock")]))
