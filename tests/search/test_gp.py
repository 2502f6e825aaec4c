from __future__ import annotations

import pytest

from espalier.search.gp import Gp
from search.spaces import Mixed, Small, best_of, proposes_the_same_after_a_replay


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
