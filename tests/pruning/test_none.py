from __future__ import annotations

import pytest

from espalier.build.instantiate import instantiate
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import ConfigError
from espalier.core.searching import Rung
from espalier.pruning.none import Unpruned
from pruning.replaying import curves, replay


def test_nobody_asks_and_all_come_to_their_end() -> None:
    found = replay(curves(7, 5, 0), Unpruned(), slots=2)
    assert sorted(found.done) == list(range(7)) and found.cost == found.whole == 35
    assert found.seconds == 20  # 4 rounds of 5, on two places


def test_who_waits_all_the_same_goes_on() -> None:
    assert Unpruned().decide(Rung(1, 1, 0.0), []) == "go_on"
    assert Unpruned().promote([4, 2], []) == 2
    assert Unpruned().promote([], []) is None


@pytest.mark.parametrize("option", ["none", "asha", "hyperband", "median", "patience"])
def test_every_rule_is_chosen_and_made_from_its_yaml(option: str) -> None:
    settings = compose([f"pruning={option}"], root="multirun")
    check(settings, only=("pruning",))
    rule = instantiate(settings.config.pruning)
    assert replay(curves(9, 9, 1), rule, slots=2).best is not None


def test_a_setting_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pruning.reduction=1.*>= 2"):
        check(compose(["pruning=asha", "pruning.reduction=1"], root="multirun"), only=("pruning",))
