from __future__ import annotations

from typing import Any

import pytest

from espalier.build.steps import total_steps

GIVEN = {"max_epochs": 3, "max_steps": -1, "accumulate_grad_batches": 1, "limit_train_batches": 1.0}


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ({}, 30),
        ({"max_steps": 12}, 12),
        ({"max_steps": 99}, 30),
        ({"max_epochs": -1, "max_steps": 99}, 99),
        ({"max_epochs": -1}, -1),
        ({"max_epochs": 0}, 0),
        ({"limit_train_batches": 0.5}, 15),
        ({"limit_train_batches": 4}, 12),
        ({"limit_train_batches": 400}, 30),
        ({"accumulate_grad_batches": 4}, 30),
        ({"accumulate_grad_batches": 4, "limit_train_batches": 6}, 6),
        ({"accumulate_grad_batches": 4, "limit_train_batches": 0.25}, 9),
    ],
)
def test_total_steps_of_ten_an_epoch(changed: dict[str, Any], steps: int) -> None:
    assert total_steps(10, {**GIVEN, **changed}) == steps
