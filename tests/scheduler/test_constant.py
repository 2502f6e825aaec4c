from __future__ import annotations

import json

import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.scheduler.constant import constant


def rates(steps: int, **values: float) -> list[float]:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=2.0)
    schedule = constant(optimizer, -1, **values)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_the_rate_stays() -> None:
    assert rates(3, **defaults_of("scheduler/constant")) == [2.0, 2.0, 2.0]


def test_after_a_warmup_in_an_endless_run() -> None:
    assert rates(4, warmup=2) == [1.0, 2.0, 2.0, 2.0]


def test_its_state_is_plain() -> None:
    schedule = constant(torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=2.0), 10, warmup=2)
    state = schedule.state_dict()
    assert json.loads(json.dumps(state)) == state
