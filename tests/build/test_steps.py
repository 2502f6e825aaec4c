from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from espalier.build.steps import evaluating, in_micro_batches, require_whole, total_steps
from espalier.core.errors import ConfigError

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
        ({"limit_train_batches": 0.01}, 3),
        ({"limit_train_batches": 4}, 12),
        ({"limit_train_batches": 400}, 30),
        ({"accumulate_grad_batches": 4}, 30),
        ({"accumulate_grad_batches": 4, "limit_train_batches": 6}, 18),
        ({"accumulate_grad_batches": 4, "limit_train_batches": 0.25}, 6),
    ],
)
def test_total_steps_of_ten_an_epoch(changed: dict[str, Any], steps: int) -> None:
    assert total_steps(10, {**GIVEN, **changed}) == steps


@pytest.mark.parametrize(
    ("changed", "translated"),
    [
        ({}, {"limit_train_batches": 40}),
        ({"limit_train_batches": 6}, {"limit_train_batches": 24}),
        ({"limit_train_batches": 0.25}, {"limit_train_batches": 8}),
        ({"val_check_interval": 3}, {"val_check_interval": 12, "check_val_every_n_epoch": None}),
        ({"val_check_interval": 0.25, "check_val_every_n_epoch": 2},
         {"val_check_interval": 8, "check_val_every_n_epoch": 2}),
        ({"val_check_interval": 0.25, "limit_train_batches": 2}, {"val_check_interval": 4}),
        ({"val_check_interval": 1.0}, {"val_check_interval": 1.0}),
    ],
    ids=str,
)  # fmt: skip
def test_lightning_counts_micro_batches(changed: dict[str, Any], translated: dict[str, Any]) -> None:
    given = GIVEN | {"accumulate_grad_batches": 4} | changed
    made = in_micro_batches(10, given)
    assert made.items() >= translated.items()
    assert {key: made[key] for key in ("max_epochs", "max_steps", "accumulate_grad_batches")}.items() <= given.items()


class Batches:
    """Three batches of validation rows, one of test rows."""

    def val_dataloader(self) -> list[int]:
        return range(3)  # type: ignore[return-value]

    def test_dataloader(self) -> Any:
        return [range(1)]


@pytest.mark.parametrize(
    ("limits", "splits", "become"),
    [
        ((0.5, 0.5), ("train", "validation", "test"), (0.5, 1)),
        ((0.2, 1.0), ("train", "validation", "test"), (1, 1.0)),
        ((0.2, 0.2), ("train", "validation"), (1, 1)),
        ((0.2, 0.4), ("train", "validation"), (1, 0.4)),
        ((2, 7), ("train", "validation", "test"), (2, 7)),
    ],
)
def test_a_share_of_batches_is_one_at_least(limits: tuple[float, float], splits: tuple[str, ...], become: Any) -> None:
    given = dict(zip(("limit_val_batches", "limit_test_batches"), limits, strict=True))
    assert tuple(evaluating(given, Batches(), splits).values()) == become


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gradient_clip_val": 1.0}, r"trainer.gradient_clip_val=1.0  .* Set trainer.gradient_clip_val=null"),
        (
            {"accumulate_grad_batches": 2},
            r"=2  is for .* Set trainer.accumulate_grad_batches=1",
        ),
    ],
)
def test_a_task_that_optimizes_by_hand_gets_gradients_as_they_are(changed: dict[str, Any], said: str) -> None:
    limits = {"gradient_clip_val": None, "accumulate_grad_batches": 1}
    require_whole(SimpleNamespace(automatic_optimization=False), limits)
    require_whole(SimpleNamespace(automatic_optimization=True), limits | changed)
    with pytest.raises(ConfigError, match=said):
        require_whole(SimpleNamespace(automatic_optimization=False), limits | changed)
