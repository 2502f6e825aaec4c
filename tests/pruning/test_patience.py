from __future__ import annotations

from espalier.core.searching import Rung
from espalier.pruning.patience import Patience
from pruning.replaying import replay

PATIENCE = Patience(validations=2, min_delta=0.0)
LEADER = Rung(0, 1, 1.0)


def curve(*values: float) -> list[Rung]:
    return [Rung(7, number, value) for number, value in enumerate(values, 1)]


def decided(*values: float, rule: Patience = PATIENCE) -> str:
    own = curve(*values)
    return rule.decide(own[-1], [LEADER, *own])


def test_it_goes_on_while_it_improves() -> None:
    assert decided(0.1) == decided(0.1, 0.2) == decided(0.1, 0.2, 0.15, 0.3) == "go_on"
    assert decided(0.3, 0.2) == "go_on"
    assert decided(0.3, 0.2, 0.3) == "pause", "an equal value is no better one"


def test_a_small_gain_is_none() -> None:
    assert decided(0.3, 0.31, 0.32, rule=Patience(validations=2, min_delta=0.05)) == "pause"
    assert decided(0.3, 0.31, 0.36, rule=Patience(validations=2, min_delta=0.05)) == "go_on"


def test_the_leader_is_not_cut() -> None:
    own = curve(0.9, 0.8, 0.7, 0.6)
    assert PATIENCE.decide(own[-1], own) == "go_on"
    assert PATIENCE.decide(own[-1], [*own, Rung(0, 1, 0.95)]) == "pause"


def test_the_best_is_always_finished_and_nobody_comes_back() -> None:
    made = [[0.5, 0.6] + [0.6] * 7, [0.9] + [0.7] * 8, [0.2] * 9, [0.1 * v for v in range(9)]]
    found = replay(made, PATIENCE, final=max)
    assert found.best == 1
    assert found.reached == {0: 9, 1: 9, 2: 3, 3: 9}, "0 led when it asked; 3 improves to its end"
    assert PATIENCE.promote([2], []) is None
