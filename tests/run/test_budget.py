from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from espalier.run.budget import Budget
from espalier.state import folder
from state.harness import Net, SaveAt, fit


def test_a_run_whose_time_is_over_ends_after_a_step_with_a_validation(tmp_path: Path) -> None:
    budget, watch = Budget(timedelta(microseconds=1)), SaveAt(tmp_path)
    trainer = fit(tmp_path, budget, watch)
    net: Any = trainer.lightning_module
    assert (trainer.global_step, net.validations) == (1, 1)
    assert watch.places == [(1, True)]
    assert budget.ended.startswith("trainer.max_time")


def test_a_step_keeps_all_of_its_micro_batches(tmp_path: Path) -> None:
    trainer = fit(tmp_path, Budget(timedelta(microseconds=1)), accumulate_grad_batches=3)
    net: Any = trainer.lightning_module
    assert (trainer.global_step, len(net.seen)) == (1, 3)


def test_there_is_no_end_before_the_time_is_over(tmp_path: Path) -> None:
    budget = Budget(timedelta(hours=1))
    assert fit(tmp_path, budget, max_epochs=1).global_step == 5
    assert budget.ended == ""


def test_time_counts_over_resumes(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    with pytest.raises(SaveAt.Killed):
        fit(tmp_path / "run", Budget(timedelta(hours=1)), SaveAt(saved, 2))
    state = next(iter(folder.read(saved)["callbacks"].values()))
    assert state["seconds"] > 0
    over = Budget(timedelta(seconds=state["seconds"] / 2))
    trainer = fit(tmp_path / "run", over, resume=saved)
    net: Any = trainer.lightning_module
    assert isinstance(net, Net)
    assert (trainer.global_step, net.seen, bool(over.ended)) == (3, [], True)
