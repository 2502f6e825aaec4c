from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from espalier.core.searching import Rung
from espalier.pruning import halving


def rungs(validations: int, *values: float) -> list[Rung]:
    return [Rung(trial, validations, value) for trial, value in enumerate(values)]


def test_rungs_grow_and_stop_before_the_end() -> None:
    assert halving.geometric(1, 3, 27) == (1, 3, 9)
    assert halving.geometric(1, 3, 28) == (1, 3, 9, 27)
    assert halving.geometric(2, 2, 9) == (2, 4, 8)
    assert halving.geometric(5, 3, 5) == ()


def test_a_value_that_comes_twice_counts_once() -> None:
    seen = [*rungs(1, 0.1, 0.2), Rung(1, 1, 0.2)]
    assert [rung.trial for rung in halving.ranked(seen, 1)] == [1, 0]


def test_of_equal_values_the_earlier_trial_is_ahead() -> None:
    assert [rung.trial for rung in halving.ranked(rungs(1, 0.5, 0.7, 0.5, 0.7), 1)] == [1, 3, 0, 2]


def test_the_best_third_goes_on() -> None:
    seen = rungs(1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    assert [halving.decide(rung, seen, 3) for rung in seen] == ["pause"] * 4 + ["go_on"] * 2


def test_other_rungs_do_not_count() -> None:
    seen = [*rungs(1, 0.1, 0.2, 0.3, 0.1, 0.1, 0.1), *rungs(3, 0.9, 0.8)]
    assert halving.decide(seen[2], seen, 3) == "go_on"
    assert halving.decide(seen[6], seen, 3) == "pause", "two have come so far: the best third of them is nobody"


def test_what_is_not_finite_never_goes_on() -> None:
    seen = rungs(1, *[-math.inf] * 6)
    assert halving.decide(seen[0], seen, 3) == "pause"
    assert halving.promote([0, 1, 2], seen, 3, least=1) is None


def test_the_furthest_rung_comes_first_and_who_went_on_is_passed_over() -> None:
    low = rungs(1, 0.6, 0.5, 0.4, 0.9, 0.8, 0.7)
    high = [Rung(3 + number, 3, value) for number, value in enumerate((0.1, 0.3, 0.2, 0.0, 0.0, 0.0))]
    assert halving.promote([0, 1, 2, 3, 4, 5], [*low, *high], 3) == 4
    assert halving.promote([0, 1, 2, 3, 5], [*low, *high], 3) == 5
    assert halving.promote([0, 1, 2, 3], [*low, *high], 3) is None, "4 and 5 are on their way"
    assert halving.promote([0, 1, 2, 5], low, 3) is None, "3 and 4 are the best third"
    assert halving.promote([7], low, 3) is None, "it never asked"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(2, 5))
def test_as_many_go_on_as_the_share_says(values: list[float], reduction: int) -> None:
    seen = rungs(1, *values)
    going = [rung.trial for rung in seen if halving.decide(rung, seen, reduction) == "go_on"]
    assert len(going) == (len(values) // reduction if len(values) >= 2 * reduction else 0)
    paused = list(range(len(values)))
    promoted = []
    while (trial := halving.promote(paused, seen, reduction)) is not None:
        paused.remove(trial)
        promoted.append(trial)
    assert sorted(promoted) == sorted(going)
