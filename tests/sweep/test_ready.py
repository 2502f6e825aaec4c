from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.multirun import read_command
from espalier.core.errors import UserError
from espalier.sweep.ready import prepare
from sweep.planning import SMALL


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_judged_by_different_metrics_is_not_compared() -> None:
    words = [*SMALL, "task.objective=accuracy,loss"]
    with pytest.raises(UserError, match=r"auto\] *is accuracy of some trials, loss of others"):
        prepare(read_command(words))
    prepare(read_command([*words, "sweep.objectives=[accuracy]"]))


def test_every_fault_at_once() -> None:
    words = [*SMALL, "optimizer.lr=1e-3,oops", "sweep.objectives=[nonsense]", "launcher.trials=8"]
    with pytest.raises(UserError) as error:
        prepare(read_command(words))
    assert {fault.what for fault in error.value.faults} == {"optimizer.lr=oops", "sweep.objectives=[nonsense]"}


def test_a_seed_that_is_none_is_answered_like_any_other_slip() -> None:
    with pytest.raises(UserError, match=r"seed=abc +is not an integer"):
        prepare(read_command([*SMALL, "seed=abc", "optimizer.lr=1e-3,1e-2"]))


@pytest.mark.parametrize(
    ("words", "said"), [(["optimizer.lr=1e-3,1e-2"], "a grid has 2 configurations"), ([], "nothing is varied")]
)
def test_more_trials_than_a_grid_has_want_a_search(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=rf"sweep\.trials=40 +{said}.*sweep=tpe"):
        prepare(read_command([*SMALL, *words, "sweep.trials=40"]))


@pytest.mark.parametrize(
    ("words", "trials"),
    [
        (["optimizer.lr=1e-3,1e-2"], None),
        (["optimizer.lr=1e-3,1e-2", "sweep.trials=1"], 1),
        (["optimizer.lr=interval(1e-4,1e-2)", "search=random"], 20),
        (["optimizer.lr=interval(1e-4,1e-2)", "sweep=asha"], 40),
    ],
)
def test_how_many(words: list[str], trials: int | None) -> None:
    assert prepare(read_command([*SMALL, *words])).settings.trials == trials
