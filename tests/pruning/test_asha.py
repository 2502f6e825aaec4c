from __future__ import annotations

import math
from statistics import mean

import numpy as np
import pytest

from espalier.core.searching import Rung
from espalier.pruning.asha import Asha
from pruning.replaying import curves, endings, replay

ASHA = Asha(min_validations=1, reduction=3)


def shuffled(trials: int, seed: int) -> list[int]:
    return [int(trial) for trial in np.random.default_rng(seed).permutation(trials)]


def test_27_trials_cost_three_times_less_and_find_the_best() -> None:
    savings, losses = [], []
    for seed in range(40):
        made = curves(27, 9, seed)
        found = replay(made, ASHA, slots=2, order=shuffled(27, seed))
        savings.append(found.saving)
        losses.append(max(curve[-1] for curve in made) - made[found.best][-1])
    assert mean(savings) >= 3.3 and sum(saving >= 3 for saving in savings) >= 34, sorted(savings)
    assert sum(loss <= 0.005 for loss in losses) >= 32, sorted(losses)


def test_without_noise_about_a_third_passes_each_rung() -> None:
    made = [[0.01 * trial + 0.001 * v for v in range(9)] for trial in range(27)]
    found = replay(made, ASHA, order=shuffled(27, 0))
    reached = endings(found)
    assert found.best == 26
    assert 9 <= reached[3] + reached[9] <= 13 and 3 <= reached[9] <= 5


def test_the_best_that_come_first_are_all_that_go_on() -> None:
    made = [[1 - 0.01 * trial] * 9 for trial in range(27)]
    assert endings(replay(made, ASHA)) == {1: 18, 3: 6, 9: 3}


def test_a_promoted_trial_goes_on_from_where_it_waited() -> None:
    made = [[0.9] * 9, [0.1] * 9, [0.2] * 9]
    found = replay(made, ASHA)
    assert found.reached[0] == 9 and found.cost == 9 + 1 + 1, "no validation is trained for twice"


@pytest.mark.parametrize("trials", [1, 2, 3, 5, 10, 20])
@pytest.mark.parametrize("slots", [1, 4])
def test_a_sweep_of_any_size_finishes_its_best(trials: int, slots: int) -> None:
    made = [[0.5 + 0.01 * ((7 * trial) % trials)] * 27 for trial in range(trials)]
    found = replay(made, ASHA, slots=slots)
    assert found.done and made[found.best][-1] == max(curve[-1] for curve in made)


def test_trials_that_all_break_come_to_an_end_of_the_sweep() -> None:
    found = replay([[math.nan] * 9] * 5, ASHA)
    assert found.done == () and found.cost == 5


def test_running_trials_count() -> None:
    seen = [Rung(trial, 1, 0.5 - 0.1 * trial) for trial in range(5)]  # whatever became of them
    assert ASHA.decide(Rung(5, 1, 0.35), seen) == "pause"
    assert ASHA.decide(Rung(5, 1, 0.45), seen) == "go_on"


def test_no_place_stays_empty_while_a_trial_may_begin() -> None:
    found = replay(curves(64, 9, 3), ASHA, slots=4)
    assert found.seconds <= found.cost / 4 + 9


def test_the_first_rung_is_where_it_is_said() -> None:
    assert Asha(min_validations=2, reduction=4).rungs(40) == (2, 8, 32)
