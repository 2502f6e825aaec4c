from __future__ import annotations

import resource
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


class Full(AtBoundary):
    """While a step from one to another is saved, the disk takes so many bytes of a file."""

    order = -1

    def __init__(self, first: int, last: int, room: int) -> None:
        self.first, self.last, self.room = first, last, room

    def at_boundary(self, trainer: pl.Trainer, **_: Any) -> None:
        if self.first <= trainer.global_step <= self.last:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.room, resource.RLIM_INFINITY))


class Roomy(AtBoundary):
    """Behind it, there is room again."""

    order = 1

    def at_boundary(self, *_: Any, **__: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("room", [1, 300, 1000, 5000])
def test_a_full_disk_is_told_once_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    class Better(Scores):
        scores = (0.1, 0.9, 0.3)

    checkpoint = Noted(tmp_path, every_n_steps=1)
    trainer = fit(tmp_path, checkpoint, Full(8, 12, room), Roomy(), module=Better)
    assert trainer.global_step == 15
    newest, best = checkpoint.store.newest(), checkpoint.store.best()
    assert newest and newest.step == 15
    assert best and (best.step, best.score) == (15, pytest.approx(0.3)), "what was not saved at step 10 is not the best"
    assert sorted(path.name for path in checkpoint.store.root.iterdir()) == [
        "best-00000015", "step-00000014", "step-00000015",
    ]  # fmt: skip
    said = [line for line in capsys.readouterr().err.splitlines() if "saved" in line]
    assert said == [
        "step 8 is not saved: File too large. The run goes on, and the last checkpoint before it stays",
        "step 13 is saved: checkpoints are written again",
    ]


def test_killed_while_the_disk_is_full(tmp_path: Path) -> None:
    checkpoint = Noted(tmp_path / "run", every_n_steps=1)
    with pytest.raises(Killed):
        fit(tmp_path / "run", checkpoint, Full(8, 12, 300), Roomy(), Dies(11))
    resumed = Noted(tmp_path / "run", every_n_steps=1)
    newest = resumed.store.newest()
    assert newest and newest.step == 7
    want = traces(fit(tmp_path / "whole", Noted(tmp_path / "whole", every_n_steps=1)), tmp_path / "whole")
    trainer = fit(tmp_path / "run", resumed, resume=newest.path)
    assert difference(want, traces(trainer, tmp_path / "run")) == ""


class Spoils(AtBoundary):
    """Makes a weight, or the optimizer's average of it, no number from a step on."""

    order = -1

    def __init__(self, step: int, what: str) -> None:
        self.step, self.what = step, what

    def at_boundary(self, trainer: pl.Trainer, **_: Any) -> None:
        if trainer.global_step == self.step:
            weight = next(trainer.lightning_module.parameters())
            spoiled = weight.data if self.what == "weight" else trainer.optimizers[0].state[weight]["exp_avg"]
            spoiled.view(-1)[0] = float("nan")


@pytest.mark.parametrize(("what", "named"), [("weight", "net.0.weight"), ("average", "exp_avg of net.0.weight")])
def test_what_is_not_finite_is_neither_last_nor_best(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, named: str
) -> None:
    class Better(Scores):
        scores = (0.1, 0.2, 0.3)

    checkpoint = Noted(tmp_path, every_n_steps=1)
    fit(tmp_path, checkpoint, Spoils(7, what), module=Better)
    newest, best = checkpoint.store.newest(), checkpoint.store.best()
    assert newest and newest.step == 6
    assert best and (best.step, best.score) == (5, pytest.approx(0.1))
    assert f"step 7 is not saved: {named} is not finite" in capsys.readouterr().err


def test_an_infinite_score_is_never_the_best(tmp_path: Path) -> None:
    class Explodes(Scores):
        scores = (float("inf"), 0.2, float("-inf"))

    for direction in ("max", "min"):
        checkpoint = Noted(tmp_path / direction, direction)
        fit(tmp_path / direction, checkpoint, module=Explodes)
        best = checkpoint.store.best()
        assert best and best.step == 10


def die() -> None:
    raise Killed


class Killed(BaseException): ...
