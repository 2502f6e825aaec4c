from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.scheduler.plateau import Plateau


def made(**changed: Any) -> Plateau:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    return Plateau(optimizer, -1, **defaults_of("scheduler/plateau", factor=0.5, **changed))


def rate(schedule: Plateau) -> float:
    return float(schedule.optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize(
    ("scores", "rates"),
    [
        ([0.1, 0.2, 0.3], [1, 1, 1]),
        ([0.3, 0.2, 0.2, 0.2, 0.2], [1, 1, 0.5, 0.5, 0.25]),
        ([0.3, 0.2, 0.4, 0.2, 0.2], [1, 1, 1, 1, 0.5]),
        ([math.nan, math.nan, 0.1], [1, 0.5, 0.5]),
    ],
    ids=["better", "worse", "better in between", "nan"],
)
def test_it_cuts_when_nothing_became_better(scores: list[float], rates: list[float]) -> None:
    schedule, seen = made(patience=1), []
    for score in scores:
        schedule.validated(score)
        seen.append(rate(schedule))
    assert seen == rates


def test_the_next_steps_have_the_new_rate() -> None:
    schedule = made(patience=0)
    schedule.validated(1.0)
    schedule.validated(1.0)
    schedule.optimizer.step()
    schedule.step()
    assert rate(schedule) == 0.5


def test_warmup_and_cuts_multiply() -> None:
    schedule = made(patience=0, warmup=4)
    assert rate(schedule) == 0.25
    schedule.validated(0.0)
    schedule.validated(0.0)
    assert rate(schedule) == 0.125


def test_there_is_a_lowest_rate() -> None:
    schedule = made(patience=0, min_ratio=0.1)
    for _ in range(9):
        schedule.validated(0.0)
    assert rate(schedule) == pytest.approx(0.1)


def test_it_goes_on_from_its_state() -> None:
    schedule, other = made(patience=1), made(patience=1)
    for score in (0.3, 0.2, 0.2, 0.1):
        schedule.validated(score)
    other.load_state_dict(schedule.state_dict())
    other.validated(0.1)
    assert (other.ratio, other.best) == (0.25, 0.3)
