from __future__ import annotations

from collections import Counter

from espalier.core.searching import Rung
from espalier.pruning.hyperband import Hyperband
from pruning.replaying import curves, replay

HYPERBAND = Hyperband(min_validations=1, reduction=3, brackets=3)


def test_brackets_have_their_shares_and_are_spread() -> None:
    brackets = [HYPERBAND.bracket(trial) for trial in range(34)]
    assert Counter(brackets) == {0: 18, 1: 10, 2: 6}
    assert brackets[:17] == brackets[17:]
    assert set(brackets[:6]) == {0, 1, 2}, "the first few trials are of every kind"


def test_one_bracket_is_asha() -> None:
    one = Hyperband(min_validations=1, reduction=3, brackets=1)
    assert {one.bracket(trial) for trial in range(20)} == {0}
    assert one.rungs(27) == (1, 3, 9)


def test_a_bracket_is_not_judged_before_its_first_rung_nor_by_others() -> None:
    first = {HYPERBAND.bracket(trial): trial for trial in reversed(range(17))}
    seen = [Rung(trial, 1, 0.9) for trial in range(17) if HYPERBAND.bracket(trial) == 0]
    assert HYPERBAND.decide(Rung(first[1], 1, 0.0), seen) == "go_on"
    assert HYPERBAND.decide(Rung(first[0], 1, 0.0), seen) == "pause"
    mine = [trial for trial in range(40) if HYPERBAND.bracket(trial) == 1][:6]
    others = [Rung(trial, 3, 0.9) for trial in range(40) if HYPERBAND.bracket(trial) == 0]
    own = [Rung(trial, 3, 0.1 * number) for number, trial in enumerate(mine)]
    assert [HYPERBAND.decide(rung, [*others, *own]) for rung in own] == ["pause"] * 4 + ["go_on"] * 2


def test_trials_of_every_bracket_finish_and_it_costs_less() -> None:
    found = replay(curves(51, 27, 1), HYPERBAND, slots=4)
    assert {HYPERBAND.bracket(trial) for trial in found.done} == {0, 1, 2}
    assert found.saving > 2


def test_who_learns_late_has_a_chance() -> None:
    made = [[0.5] * 27 for _ in range(34)]
    late = next(trial for trial in range(34) if HYPERBAND.bracket(trial) == 2)
    made[late] = [0.1] * 8 + [0.9] * 19
    assert replay(made, HYPERBAND, slots=2).best == late


def test_a_lonely_trial_is_finished() -> None:
    assert replay([[0.5] * 9], HYPERBAND).done == (0,)
