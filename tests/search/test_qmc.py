from __future__ import annotations

import math
from typing import Literal

import pytest

from espalier.core.searching import Told
from espalier.search.qmc import Qmc
from search.spaces import Mixed, Small, proposes_the_same_after_a_replay, worth


@pytest.mark.parametrize("sequence", ["sobol", "halton"])
def test_a_replay_goes_on_with_the_same_points(sequence: Literal["sobol", "halton"]) -> None:
    assert proposes_the_same_after_a_replay(lambda: Qmc(sequence=sequence))


def test_points_are_spread_evenly_from_the_first_on() -> None:
    search = Qmc(sequence="sobol")
    search.start(Mixed(), ["max"], 0)
    points = [point for number in range(32) if (point := search.ask(number))]
    eighths = [int((math.log10(point["optimizer.lr"]) + 5) / 3 * 8) for point in points]
    assert [eighths.count(part) for part in range(8)] == [4] * 8
    assert sum(point["adapter"] == "lora" for point in points) == 16


def test_a_record_that_says_another_point_is_believed() -> None:
    search = Qmc(sequence="sobol")
    search.start(Mixed(), ["max"], 0)
    other = {"adapter": "probe", "optimizer.lr": 1e-3, "optimizer.weight_decay": 0.05, "callback": ["a"]}
    search.replay(0, other, Told("done", (worth(other),)))
    complete = [trial for trial in search.study.trials if trial.state.name == "COMPLETE"]
    assert [trial.params["optimizer.lr"] for trial in complete] == [1e-3]


def test_a_space_that_ends() -> None:
    search = Qmc(sequence="halton")
    search.start(Small(), ["max"], 0)
    assert [search.ask(number) is None for number in range(8)] == [False] * 6 + [True] * 2
