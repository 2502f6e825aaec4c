from __future__ import annotations

import pytest

from espalier.core.searching import Told
from espalier.search.gp import Gp
from search.spaces import Mixed, Small, best_of, infeasible_of, proposes_the_same_after_a_replay


@pytest.mark.slow
def test_a_replay_goes_on_with_the_same_points() -> None:
    assert proposes_the_same_after_a_replay(lambda: Gp(startup=4, noisy=False), trials=7)


@pytest.mark.slow
def test_it_learns_from_few_trials() -> None:
    assert best_of(Gp(startup=5, noisy=False), 14) > 0.9


def test_what_its_model_leaves_out_is_said() -> None:
    assert Gp(startup=5, noisy=True).beside(Mixed()) == ["adapter.rank"]
    assert Gp(startup=5, noisy=True).beside(Small()) == []


def test_what_it_needs_is_there() -> None:
    assert Gp(startup=5, noisy=True).faults(Mixed()) == []


def test_it_keeps_away_from_what_is_infeasible() -> None:
    search = Gp(startup=5, noisy=True)
    assert infeasible_of(search, 17) <= 6, "of 12 proposals"
    values = {number: trial.values for number, trial in enumerate(search.study.trials) if trial.values}
    assert len(values) == 17, "its model knows of all of them"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_what_is_infeasible_is_the_worst_and_what_was_cut_is_as_it_stood(order: tuple[int, ...]) -> None:
    said = [Told("infeasible"), Told("done", (0.5,)), Told("done", (0.2,)), Told("pruned", (0.1,), 3)]
    search = Gp(startup=9, noisy=True)
    search.start(Mixed(), ["max"], 0)
    for number in range(4):
        search.ask(number)
    for number in order:
        search.tell(number, said[number])
    assert [trial.values for trial in search.study.trials] == [[0.1], [0.5], [0.2], [0.1]]
    search.tell(0, Told("done", (0.9,)))  # tried once more, where there is more memory
    assert search.study.trials[0].values == [0.9]
