from __future__ import annotations

import pytest
import torch
from torch import nn

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.scheduler.cosine import cosine


def rates(total: int, steps: int, **changed: float) -> list[float]:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0)
    schedule = cosine(optimizer, total, **defaults_of("scheduler/cosine", **changed))
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return seen


def test_up_in_a_line_and_down_along_half_a_cosine() -> None:
    assert rates(6, 7, warmup=2) == pytest.approx([0.5, 1.0, 1.0, 0.853553, 0.5, 0.146447, 0.0], abs=1e-6)


def test_it_ends_at_a_share_of_the_rate() -> None:
    assert rates(4, 6, warmup=0, min_ratio=0.2) == pytest.approx([1.0, 0.882843, 0.6, 0.317157, 0.2, 0.2], abs=1e-6)


def test_an_endless_run_is_answered() -> None:
    with pytest.raises(ConfigError, match="needs a last step"):
        rates(-1, 1)
