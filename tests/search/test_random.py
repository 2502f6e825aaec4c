from __future__ import annotations

import math

from espalier.search.random import Random
from search.spaces import Mixed, proposes_the_same_after_a_replay


def test_a_replay_goes_on_with_the_same_points() -> None:
    assert proposes_the_same_after_a_replay(Random)


def test_points_lie_everywhere_by_the_logarithm_and_lack_what_their_option_lacks() -> None:
    search = Random()
    search.start(Mixed(), ["max"], 0)
    points = [point for number in range(300) if (point := search.ask(number))]
    rates = [math.log10(point["optimizer.lr"]) for point in points]
    assert all(-5 <= rate <= -2 for rate in rates)
    assert 0.2 < sum(rate < -4 for rate in rates) / 300 < 0.45
    assert {len(point["callback"]) for point in points} == {1, 2}
    assert all(("adapter.rank" in point) == (point["adapter"] == "lora") for point in points)


def test_another_seed_another_sequence() -> None:
    first, second = Random(), Random()
    first.start(Mixed(), ["max"], 0)
    second.start(Mixed(), ["max"], 1)
    assert first.ask(0) != second.ask(0)
