from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl

from espalier.callback.checkpoint import Checkpoint
from espalier.state import folder
from espalier.state.boundary import AtBoundary
from state.harness import Net, difference, fit, run_info, traces


class Dies(AtBoundary):
    """As a kill would, after a step's checkpoint."""

    order = 1

    def __init__(self, step: int) -> None:
        self.step = step

    def at_boundary(self, trainer: pl.Trainer, **_: Any) -> None:
        if trainer.global_step == self.step:
            die()


class Scores(Net):
    """A validation score that is given in advance."""

    scores = (0.5, 0.75, 0.6)

    def validation_step(self, *_: Any) -> None: ...

    def on_validation_epoch_end(self) -> None:
        self.log("score", self.scores[self.current_epoch])


class Noted(Checkpoint):
    """Remembers when it saved."""

    def __init__(self, directory: Path, direction: str = "max", every_n_steps: Any = None, minutes: Any = None) -> None:
        run = run_info(directory, direction=direction)
        super().__init__(run, every_n_steps=every_n_steps, every_minutes=minutes)
        self.steps: list[int] = []

    def on_save_checkpoint(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps.append(trainer.global_step)


@pytest.mark.parametrize(
    ("when", "steps"),
    [
        ({}, [5, 10, 15]),
        ({"every_n_steps": 2}, [2, 4, 5, 6, 8, 10, 12, 14, 15]),
        ({"every_n_steps": 5}, [5, 10, 15]),
        ({"every_n_steps": 100}, [5, 10, 15]),
        ({"minutes": 1e-9}, list(range(1, 16))),
        ({"minutes": 60.0}, [5, 10, 15]),
    ],
    ids=str,
)
def test_when_it_saves(tmp_path: Path, when: Any, steps: list[int]) -> None:
    checkpoint = Noted(tmp_path, **when)
    fit(tmp_path, checkpoint)
    assert checkpoint.steps == steps
    kept = [path.name for path in checkpoint.store.root.glob("step-*")]
    assert sorted(kept) == [f"step-{step:08d}" for step in steps[-2:]]


def test_steps_are_optimizer_steps(tmp_path: Path) -> None:
    checkpoint = Noted(tmp_path, every_n_steps=2)
    fit(tmp_path, checkpoint, accumulate_grad_batches=2)  # 3 steps an epoch
    assert checkpoint.steps == [2, 3, 4, 6, 8, 9]


@pytest.mark.parametrize(("direction", "step", "score"), [("max", 10, 0.75), ("min", 5, 0.5)])
def test_the_best_is_marked(tmp_path: Path, direction: str, step: int, score: float) -> None:
    checkpoint = Noted(tmp_path, direction)
    fit(tmp_path, checkpoint, module=Scores)
    best = checkpoint.store.best()
    assert best and (best.step, best.score) == (step, pytest.approx(score))
    assert folder.read(best.path)["global_step"] == step
    assert len(list(checkpoint.store.root.glob("best-*"))) == 1


def test_nan_is_never_the_best(tmp_path: Path) -> None:
    class Diverges(Scores):
        scores = (float("nan"), 0.2, float("nan"))

    checkpoint = Noted(tmp_path)
    fit(tmp_path, checkpoint, module=Diverges)
    best = checkpoint.store.best()
    assert best and best.step == 10


def test_no_validation_no_best(tmp_path: Path) -> None:
    checkpoint = Noted(tmp_path)
    fit(tmp_path, checkpoint, limit_val_batches=0)
    assert checkpoint.store.best() is None and checkpoint.steps == [5, 10, 15]


def test_a_validation_within_an_epoch_counts_at_its_step(tmp_path: Path) -> None:
    checkpoint = Noted(tmp_path, "min")
    trainer = fit(tmp_path, checkpoint, val_check_interval=2, max_epochs=1)
    best = checkpoint.store.best()
    assert best and best.step in (2, 4)
    assert set(checkpoint.steps) <= {2, 4, 5}
    assert trainer.global_step == 5


@pytest.mark.parametrize("step", [5, 10, 15])
def test_killed_between_saving_and_marking(tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Better(Scores):
        scores = (0.1, 0.2, 0.3)

    undisturbed = Noted(tmp_path / "whole")
    want = traces(fit(tmp_path / "whole", undisturbed, module=Better), tmp_path / "whole")
    checkpoint = Noted(tmp_path / "run")
    mark = checkpoint.store.mark_best
    monkeypatch.setattr(checkpoint.store, "mark_best", lambda at, score: die() if at == step else mark(at, score))
    with pytest.raises(Killed):
        fit(tmp_path / "run", checkpoint, module=Better)
    resumed = Noted(tmp_path / "run")
    newest = resumed.store.newest()
    assert newest and newest.step == step
    trainer = fit(tmp_path / "run", resumed, resume=newest.path, module=Better)
    assert difference(want, traces(trainer, tmp_path / "run")) == ""
    best, whole = resumed.store.best(), undisturbed.store.best()
    assert best and whole and (best.step, best.score) == (whole.step, whole.score) == (15, pytest.approx(0.3))


def test_a_resumed_run_remembers_the_best(tmp_path: Path) -> None:
    first = Noted(tmp_path)
    with pytest.raises(Killed):
        fit(tmp_path, first, Dies(10), module=Scores)
    second = Noted(tmp_path)
    fit(tmp_path, second, resume=first.store.path_of(10), module=Scores)
    best = second.store.best()
    assert best and best.step == 10 and second.steps == [15]


def die() -> None:
    raise Killed


class Killed(BaseException): ...
