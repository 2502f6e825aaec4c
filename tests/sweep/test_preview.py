from __future__ import annotations

from pathlib import Path

import pytest

from espalier.sweep.preview import preview
from sweep.planning import SMALL, planner

RATE, DROPOUT = "optimizer.lr=1,2", "model.dropout=0.0,0.1"


def test_a_grid_with_seeds(tmp_path: Path) -> None:
    plan = preview(planner(*SMALL, f"output={tmp_path}", "optimizer.lr=1,2", "seed=0,1"), ["cpu:0"])
    assert (plan.search, plan.pruning, plan.launcher) == ("grid", "none", "pool")
    assert (plan.configurations, plan.total, plan.finalists, plan.repeated) == (2, 4, None, 0)
    assert list(plan.names) == ["lr=1 seed=0", "lr=1 seed=1", "lr=2 seed=0", "lr=2 seed=1"]
    assert [(one.key, one.values) for one in plan.varied] == [
        ("optimizer.lr", "1, 2"), ("seed", "0, 1: repeats of each configuration")
    ]  # fmt: skip
    assert (plan.unknown, list(plan.expected)) == (4, [])


def test_a_search_with_finalists_and_keys_of_one_option(tmp_path: Path) -> None:
    words = ("adapter=lora,probe", "sweep=tpe", "sweep.trials=40", "seed=0,1,2", f"output={tmp_path}")
    plan = preview(planner(*words))
    assert (plan.configurations, plan.finalists, plan.total, list(plan.names)) == (40, 3, 46, [])
    rank = next(one for one in plan.varied if one.key == "adapter.rank")
    assert (rank.where, rank.source) == ("adapter=lora", "conf/space/adapter/lora.yaml:2")
    assert any("conf/space" in note for note in plan.notes)


def test_a_search_without_a_number_of_trials_has_one_and_a_small_space_ends_it() -> None:
    assert preview(planner(*SMALL, "sweep=tpe", "optimizer.lr=interval(1,2)")).total == 20
    assert preview(planner(*SMALL, "sweep=random", "optimizer.lr=1,2,3")).total == 3


def test_part_of_a_grid() -> None:
    plan = preview(planner(*SMALL, "optimizer.lr=1,2,3", "sweep.trials=2"))
    assert (plan.total, list(plan.names)) == (2, ["lr=1", "lr=2"])


@pytest.mark.parametrize(
    "words",
    [("seed=0,1", RATE, DROPOUT), (RATE, "seed=0,1", DROPOUT), (RATE, DROPOUT, "seed=0,1")],
)
def test_part_of_a_grid_is_configurations_with_all_their_seeds(words: tuple[str, ...]) -> None:
    plan = preview(planner(*SMALL, *words, "sweep.trials=1"))
    assert (plan.total, list(plan.names)) == (2, ["lr=1 dropout=0 seed=0", "lr=1 dropout=0 seed=1"])


def test_under_a_pruning_rule_a_grid_runs_its_first_seed() -> None:
    plan = preview(planner(*SMALL, "optimizer.lr=1,2,3,4", "seed=0,1", "pruning=median", "sweep.finalists=1"))
    assert (plan.total, plan.finalists, len(plan.names)) == (5, 1, 4)


def test_the_same_run_twice_is_said() -> None:
    plan = preview(planner(*SMALL, "optimizer.lr=1,2", "name=a,b"))
    assert (plan.total, plan.repeated) == (4, 2)


def test_an_interval_that_is_wide_is_said_to_be_searched_by_its_logarithm() -> None:
    (note,) = preview(planner(*SMALL, "sweep=random", "optimizer.lr=interval(1e-5,1e-2)")).notes
    assert "optimizer.lr" in note and "tag(linear" in note
    assert not preview(planner(*SMALL, "sweep=random", "optimizer.lr=tag(log,interval(1e-5,1e-2))")).notes


def test_what_a_model_leaves_out_is_a_note() -> None:
    plan = preview(planner(*SMALL, "optimizer.lr=interval(1e-4,1e-2)", "search=cmaes"), beside=["adapter", "model"])
    assert "cmaes chooses these each by itself, outside its model: adapter, model" in plan.notes
