from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.compared import compared
from espalier.core.errors import UserError


def test_each_directory_once_with_its_config(made_run: Callable[..., Path]) -> None:
    one, other = made_run("done"), made_run("done")
    runs = compared([one, other, Path(f"{one}/")])
    assert [run.directory for run in runs] == [one, other]
    assert runs[0].shown == one.relative_to(Path.cwd()) and runs[0].config["seed"] == 0


def test_of_a_sweep_it_is_the_best_trial(made_run: Callable[..., Path], here: Path) -> None:
    trial, sweep = made_run("done"), here / "sweep"
    sweep.mkdir()
    (sweep / "record.jsonl").touch()
    with pytest.raises(UserError, match=r"sweep  is a sweep that has no best trial yet.*espalier sweep status sweep"):
        compared([sweep])
    (sweep / "best").symlink_to(trial)
    assert compared([sweep, made_run("done")])[0].directory == trial


def test_all_that_are_no_runs_are_named(made_run: Callable[..., Path]) -> None:
    with pytest.raises(UserError) as raised:
        compared([made_run("done"), Path("a"), Path("b")])
    assert [fault.truth[:12] for fault in raised.value.faults] == ["is not there"] * 2


def test_a_run_that_was_killed_does_not_run(made_run: Callable[..., Path]) -> None:
    runs = compared([made_run("running", pid=2**22 + 1), made_run("done")])
    assert [run.status for run in runs] == ["killed", "done"]
