from __future__ import annotations

import math

import pytest

from espalier.core.record import State, TrialRecord
from espalier.sweep.objectives import Objective
from espalier.sweep.standings import finalists, missed, standings, without_seed

ACCURACY = [Objective("validation/accuracy", "max")]


def trial(number: int, configuration: int, seed: int, value: float | None, state: State = "done") -> TrialRecord:
    values = () if value is None else (value,)
    return TrialRecord(number, configuration, {"x": configuration}, seed, (), f"x={configuration} seed={seed}", state,
                       values=values)  # fmt: skip


def test_the_mean_over_seeds_decides() -> None:
    rows = standings([trial(0, 0, 0, 0.9), trial(1, 1, 0, 0.8), trial(2, 0, 1, 0.5), trial(3, 1, 1, 0.7)], ACCURACY)
    assert [(row.configuration, row.means[0], row.trials) for row in rows] == [
        (1, pytest.approx(0.75), (1, 3)),
        (0, pytest.approx(0.7), (0, 2)),
    ]
    assert rows[0].deviation == pytest.approx(0.0707, abs=1e-4)
    assert rows[0].as_dict()["name"] == "x=1"


def test_a_mean_over_fewer_seeds_stands_behind() -> None:
    rows = standings([trial(0, 0, 0, 0.6), trial(1, 0, 1, 0.6), trial(2, 2, 0, 0.99)], ACCURACY)
    assert [row.configuration for row in rows] == [0, 2] and rows[1].deviation is None


def test_a_loss_is_better_when_smaller_and_nothing_counts_that_is_no_number() -> None:
    rows = standings(
        [trial(0, 0, 0, 0.6), trial(1, 1, 0, 0.2), trial(2, 2, 0, math.nan), trial(3, 3, 0, None, "failed")],
        [Objective("validation/loss", "min")],
    )
    assert [row.configuration for row in rows] == [1, 0]


def test_who_would_be_better_had_its_seeds_not_failed_is_known() -> None:
    trials = [trial(0, 0, 0, 0.6), trial(1, 0, 1, 0.6), trial(2, 2, 0, 0.9), trial(3, 2, 1, None, "infeasible")]
    trials += [trial(4, 3, 0, 0.95), trial(5, 4, 0, 0.5), trial(6, 4, 1, None, "failed")]
    found = missed(standings(trials, ACCURACY), trials, ACCURACY)
    assert found is not None and found.configuration == 2, "3 was never asked for another seed"
    assert missed(standings(trials[:2], ACCURACY), trials[:2], ACCURACY) is None
    assert missed([], trials, ACCURACY) is None


def test_finalists_get_the_seeds_that_they_lack() -> None:
    trials = {n: trial(n, n, 0, value) for n, value in enumerate([0.1, 0.9, 0.8])}
    trials[3] = trial(3, 1, 7, None, "failed")
    found = finalists(trials, ACCURACY, 2, (0, 7, 8))
    assert [(first.configuration, seed) for first, seed in found] == [(1, 8), (2, 7), (2, 8)]
    assert finalists(trials, ACCURACY, 2, (0,)) == []


def test_a_name_without_its_seed() -> None:
    assert without_seed(trial(0, 3, 5, None)) == "x=3"
