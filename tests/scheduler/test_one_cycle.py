from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.scheduler.one_cycle import one_cycle


def start(total: int, *, momentum: float = 0.95, **changed: Any) -> tuple[Any, Any]:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0, momentum=momentum)
    return optimizer, one_cycle(optimizer, total, **defaults_of("scheduler/one_cycle", **changed))


def walk(made: tuple[Any, Any], steps: int, key: str = "lr") -> list[float]:
    optimizer, schedule = made
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0][key])
        optimizer.step()
        schedule.step()
    return seen


def test_up_to_the_rate_and_down_far_below_it() -> None:
    seen = walk(start(10), 10)
    assert seen[0] == 0.04
    assert seen[3] == max(seen) == 1.0
    assert seen[-1] == pytest.approx(4e-6)
    assert seen[:4] == sorted(seen[:4]) and seen[3:] == sorted(seen[3:], reverse=True)


def test_these_are_the_rates_of_torchs_own() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0, momentum=0.95)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=41, pct_start=0.275
    )  # its top: step 10.275
    assert walk(start(41, warmup=10), 41) == pytest.approx(walk((optimizer, theirs), 41), abs=0.03)


def test_momentum_goes_the_other_way() -> None:
    seen = walk(start(10), 10, "momentum")
    assert (seen[0], seen[3], seen[-1]) == pytest.approx((0.95, 0.85, 0.95))
    optimizer = torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=1.0, betas=(0.9, 0.99))
    one_cycle(optimizer, 10, **defaults_of("scheduler/one_cycle", warmup=0))
    assert optimizer.param_groups[0]["betas"] == (0.85, 0.99)


def test_momentum_may_stay() -> None:
    assert walk(start(10, low_momentum=None), 10, "momentum") == [0.95] * 10


@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_shortest_runs_have_rates_too(total: int) -> None:
    assert all(0 < rate <= 1 for rate in walk(start(total), total))


@pytest.mark.parametrize(
    ("total", "momentum", "said"),
    [(-1, 0.9, "needs a last step"), (10, 0.0, r"no momentum to lower.*scheduler\.low_momentum=null")],
)
def test_what_cannot_be_is_answered(total: int, momentum: float, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        start(total, momentum=momentum)


def test_it_goes_on_exactly() -> None:
    whole, half = start(10), start(10)
    walk(half, 4)
    state, groups = json.loads(json.dumps(half[1].state_dict())), half[0].state_dict()
    resumed = start(10)
    resumed[1].load_state_dict(state)
    resumed[0].load_state_dict(groups)
    assert walk(whole, 10)[4:] == walk(resumed, 6)
    assert resumed[0].param_groups[0]["momentum"] == whole[0].param_groups[0]["momentum"]
