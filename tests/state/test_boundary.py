from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytorch_lightning as pl

from espalier.state.boundary import AtBoundary, save
from espalier.state.store import Store
from state.harness import SaveAt, fit

EVERY_STEP = [(step, step % 5 == 0) for step in range(1, 16)]


@pytest.mark.parametrize(
    ("settings", "places"),
    [
        ({}, EVERY_STEP),
        ({"accumulate_grad_batches": 2}, [(step, step % 3 == 0) for step in range(1, 10)]),
        ({"max_steps": 7, "max_epochs": -1}, [*EVERY_STEP[:6], (7, True)]),
        ({"limit_train_batches": 2}, [(step, step % 2 == 0) for step in range(1, 7)]),
        ({"limit_val_batches": 0}, EVERY_STEP),
    ],
    ids=str,
)
def test_asked_once_after_each_optimizer_step(tmp_path: Path, settings: Any, places: Any) -> None:
    watch = SaveAt(tmp_path)
    fit(tmp_path, watch, **settings)
    assert watch.places == places


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"max_steps": 7, "max_epochs": -1}, [5, 7]),
        ({"val_check_interval": 3, "check_val_every_n_epoch": None}, [3, 6, 9, 12, 15]),
        ({"val_check_interval": 4, "check_val_every_n_epoch": None}, [4, 8, 12, 15]),
        ({"check_val_every_n_epoch": 2}, [10, 15]),
        ({"accumulate_grad_batches": 2, "max_steps": 4, "max_epochs": -1}, [3, 4]),
        ({"max_steps": 7, "max_epochs": -1, "limit_val_batches": 0}, []),
    ],
    ids=str,
)
def test_a_runs_last_step_is_validated(tmp_path: Path, settings: Any, steps: list[int]) -> None:
    fit(tmp_path, watch := Validations(), **settings)
    assert watch.steps == steps


class Validations(AtBoundary):
    """At which steps there were some."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def on_validation_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps.append(trainer.global_step)


class Looks(AtBoundary):
    """What is done when a boundary comes."""

    def __init__(self, lines: Path, said: list[Any]) -> None:
        self.lines, self.said = lines, said

    def before_training(self, trainer: pl.Trainer) -> None:
        self.said.append("before")

    def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
        module: Any = trainer.lightning_module
        loader: Any = trainer.train_dataloader
        lines = self.lines.read_text().count("\n")
        self.said.append((trainer.global_step, lines, module.validations, loader.given, trainer.current_epoch))


def test_nothing_is_left_over_at_a_boundary(tmp_path: Path) -> None:
    said: list[Any] = []
    fit(tmp_path, Looks(tmp_path / "metrics.jsonl", said), batches=2, max_epochs=2)
    # A line for each step; an epoch's end adds one of validation and one of training. No batch is fetched ahead.
    assert said == ["before", (1, 1, 0, 1, 0), (2, 4, 1, 2, 1), (3, 5, 1, 1, 1), (4, 8, 2, 2, 2)]


def test_asked_in_their_order(tmp_path: Path) -> None:
    said: list[str] = []

    class Late(AtBoundary):
        order: ClassVar[int] = 1

        def at_boundary(self, *_: Any, **__: Any) -> None:
            said.append("late")

    class Early(AtBoundary):
        def at_boundary(self, *_: Any, **__: Any) -> None:
            said.append("early")

    fit(tmp_path, Late(), Early(), batches=1, max_epochs=1)
    assert said == ["early", "late"]


def test_a_step_is_saved_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "checkpoints")
    times: list[int] = []

    class SavesTwice(AtBoundary):
        def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
            save(trainer, store)
            save(trainer, store)

        def on_save_checkpoint(self, trainer: pl.Trainer, *_: Any) -> None:
            times.append(trainer.global_step)

    fit(tmp_path, SavesTwice(), batches=2, max_epochs=2)
    assert times == [1, 2, 3, 4]
    assert sorted(path.name for path in store.root.iterdir()) == ["step-00000003", "step-00000004"]
    newest = store.newest()
    assert newest
    fit(tmp_path, SavesTwice(), resume=newest.path, batches=2, max_epochs=2)
    assert times == [1, 2, 3, 4], "a finished run has nothing to save"
