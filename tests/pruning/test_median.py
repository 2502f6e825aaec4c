from __future__ import annotations

from espalier.core.searching import Rung
from espalier.pruning.median import Median
from pruning.replaying import curves, replay

MEDIAN = Median(startup_trials=3, warmup=1)
SEEN = [Rung(trial, 2, 0.1 * trial) for trial in range(5)]  # median 0.2


def test_it_asks_after_the_warm_up_each_time_but_the_last() -> None:
    assert MEDIAN.rungs(5) == (2, 3, 4)
    assert MEDIAN.rungs(2) == MEDIAN.rungs(1) == ()


def test_the_lower_half_waits() -> None:
    assert MEDIAN.decide(Rung(9, 2, 0.19), SEEN) == "pause"
    assert MEDIAN.decide(Rung(9, 2, 0.2), SEEN) == "go_on"


def test_few_rivals_judge_nobody() -> None:
    assert MEDIAN.decide(Rung(9, 2, -1.0), SEEN[:2]) == "go_on"
    assert MEDIAN.decide(Rung(9, 3, -1.0), SEEN) == "go_on", "others have not come as far"


def test_its_own_values_are_no_rivals_and_its_best_counts() -> None:
    dip = [*SEEN, Rung(9, 1, 0.5), Rung(9, 2, 0.0)]
    assert MEDIAN.decide(Rung(9, 2, 0.0), dip) == "go_on"


def test_who_waits_goes_on_when_the_others_turn_out_worse() -> None:
    paused = Rung(9, 2, 0.15)
    assert MEDIAN.promote([9], [*SEEN, paused]) is None
    later = [Rung(20 + number, 2, 0.0) for number in range(4)]
    assert MEDIAN.promote([9], [*SEEN, paused, *later]) == 9


def test_it_saves_and_keeps_the_best() -> None:
    made = curves(27, 9, 5)
    found = replay(made, MEDIAN, slots=2)
    assert found.saving > 1.3
    assert made[found.best][-1] == max(curve[-1] for curve in made)
