from __future__ import annotations

import pytest

from espalier.scheduler.warmup import warm, warmup_steps


@pytest.mark.parametrize(
    ("warmup", "total", "steps"),
    [(0, 100, 0), (0.1, 100, 10), (0.999, 100, 99), (1, 100, 1), (50, 100, 50), (0.1, -1, 0)],
)
def test_a_share_below_one_and_steps_from_one(warmup: float, total: int, steps: int) -> None:
    assert warmup_steps(warmup, total) == steps


def test_every_step_moves_and_the_last_of_warmup_has_the_whole_rate() -> None:
    assert [warm(step, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert warm(0, 0) == 1.0
