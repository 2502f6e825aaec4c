from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.scheduler.linear import linear


def start(total: int, **values: float) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    return optimizer, linear(optimizer, total, **values)


def rates(total: int, steps: int, **values: float) -> list[float]:
    optimizer, schedule = start(total, **values)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_up_and_down_in_straight_lines() -> None:
    assert rates(6, 7, warmup=2) == pytest.approx([0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0])


def test_the_options_values_rise_to_the_rate_and_fall() -> None:
    seen = rates(100, 100, **defaults_of("scheduler/linear"))
    assert max(seen) == 1.0
    assert 0 < seen[-1] < 0.02


def test_beyond_the_last_step_it_is_zero() -> None:
    assert rates(2, 4, warmup=0)[2:] == [0.0, 0.0]


def test_a_warmup_longer_than_the_run_never_falls() -> None:
    assert rates(3, 3, warmup=6) == pytest.approx([1 / 6, 2 / 6, 3 / 6])


def test_an_endless_run_is_answered() -> None:
    with pytest.raises(ConfigError, match=r"needs a last step.*scheduler=constant"):
        start(-1, warmup=0)


def test_its_state_is_plain_and_continues() -> None:
    optimizer, schedule = start(10, warmup=2)
    for _ in range(4):
        optimizer.step()
        schedule.step()
    state = json.loads(json.dumps(schedule.state_dict()))
    other_optimizer, other = start(10, warmup=2)
    other.load_state_dict(state)
    other_optimizer.load_state_dict(optimizer.state_dict())
    for made in ((optimizer, schedule), (other_optimizer, other)):
        made[0].step()
        made[1].step()
    assert other_optimizer.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    assert other.state_dict() == schedule.state_dict()
