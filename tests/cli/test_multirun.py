from __future__ import annotations

from pathlib import Path

import pytest

from espalier.cli import multirun, train
from espalier.core.errors import UserError

SMALL = ["data=digits", "model=mlp", "adapter=full"]


def test_a_sweep_is_checked_as_a_whole_before_anything_is_made(here: Path) -> None:
    with pytest.raises(UserError) as refused:
        train.main(["-m", *SMALL, "seed=0,1", "optimizer.lr=1,-2", "model.dropout=0,7"])
    assert {fault.what for fault in refused.value.faults} == {"optimizer.lr=-2", "model.dropout=7"}
    assert list(here.iterdir()) == []


def test_all_that_is_wrong_with_the_sweep_itself(here: Path) -> None:
    words = ["optimizer.lr=interval(1e-4,1e-2)", "sweep.objectives=[wonder]"]
    with pytest.raises(UserError) as refused:
        train.main(["-m", *SMALL, *words])
    told = str(refused.value)
    assert "Write  wonder:max  or  wonder:min" in told and "sweep=tpe sweep.trials=20" in told
    assert list(here.iterdir()) == []


def test_hydras_own_pair_runs_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[list[str]] = []
    monkeypatch.setattr(multirun, "run_each", lambda experiments, given: lines.extend(map(list, given)) or 4)
    words = ["seed=0,1", *SMALL, "hydra/sweeper=basic", "hydra/launcher=basic"]
    assert train.main(["-m", *words]) == 4
    assert [sorted(line) for line in lines] == [sorted([*SMALL, "seed=0"]), sorted([*SMALL, "seed=1"])]


def test_what_a_grid_comes_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["-m", "seed=0,1", "--cfg", "job", "-p", "seed"]) == 0
    assert capsys.readouterr().out.split("\n") == ["# seed=0", "0", "# seed=1", "1", ""]


def test_what_a_search_comes_to_shows_as_it_goes() -> None:
    with pytest.raises(UserError, match="espalier sweep plan"):
        train.main(["-m", *SMALL, "optimizer.lr=interval(1e-4,1e-2)", "search=random", "--cfg", "job"])


def test_one_of_several_processes_begins_no_sweep(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="torchrun has started 2"):
        train.main(["-m", *SMALL, "seed=0,1"])
    assert list(here.iterdir()) == []
