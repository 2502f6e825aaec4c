from __future__ import annotations

from statistics import fmean

from espalier.search.random import Random
from espalier.search.tpe import Tpe
from search.spaces import best_of, infeasible_of, proposes_the_same_after_a_replay


def tpe() -> Tpe:
    return Tpe(startup=10, candidates=24)


def test_a_replay_goes_on_with_the_same_points() -> None:
    assert proposes_the_same_after_a_replay(tpe)


def test_it_finds_better_points_than_chance() -> None:
    learned = fmean(best_of(tpe(), 40, seed) for seed in range(4))
    drawn = fmean(best_of(Random(), 40, seed) for seed in range(4))
    assert learned > drawn


def test_it_keeps_away_from_what_is_infeasible() -> None:
    assert infeasible_of(tpe(), 40, startup=10) <= 15, "of 30 proposals"
