"""How many optimizer steps a run has, and the same in the micro-batches that Lightning counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from espalier.core.errors import ConfigError, Fault


def total_steps(steps_per_epoch: int, trainer: Mapping[str, Any]) -> int:
    """The smaller of ``max_steps`` and ``max_epochs`` in steps, with ``limit_train_batches``; -1: without end."""
    bounds = [trainer["max_steps"]] if trainer["max_steps"] >= 0 else []
    if trainer["max_epochs"] >= 0:
        bounds.append(trainer["max_epochs"] * _limited(steps_per_epoch, trainer["limit_train_batches"]))
    return min(bounds, default=-1)


def in_micro_batches(steps_per_epoch: int, trainer: Mapping[str, Any]) -> dict[str, Any]:
    """A trainer part's answer with its counts of global batches in Lightning's micro-batches.

    A limit is a whole number of global batches, so that no step is left with a part of its micro-batches. An interval
    between validations is counted over epochs, or shortened to the epoch where it is a share of one.
    """
    accumulate, interval = trainer["accumulate_grad_batches"], trainer.get("val_check_interval", 1.0)
    steps = _limited(steps_per_epoch, trainer["limit_train_batches"])
    translated = {"limit_train_batches": steps * accumulate}
    if isinstance(interval, int):
        translated |= {"val_check_interval": interval * accumulate, "check_val_every_n_epoch": None}
    elif interval < 1:
        translated |= {"val_check_interval": max(1, int(steps * interval)) * accumulate}
    return {**trainer, **translated}


def evaluating(trainer: Mapping[str, Any], batches: Any, splits: Collection[str]) -> dict[str, Any]:
    """A trainer part's answer with a share of evaluation batches that comes to none made one batch.

    Args:
        batches: the data's.
        splits: that there are.
    """
    asked = {"limit_val_batches": "val_dataloader"} if "validation" in splits else {}
    asked |= {"limit_test_batches": "test_dataloader" if "test" in splits else "val_dataloader"}
    shares = {key: loader for key, loader in asked.items() if isinstance(trainer[key], float) and trainer[key] < 1}
    return {**trainer, **{key: 1 for key, of in shares.items() if _comes_to_none(trainer[key], getattr(batches, of)())}}


def require_whole(task: Any, trainer: Mapping[str, Any]) -> None:
    """Refuse, for a task that optimizes by hand, what is done to gradients between a task and its optimizer.

    Raises:
        ConfigError: gradients are to be clipped, or added up.
    """
    for key, off in {"gradient_clip_val": None, "accumulate_grad_batches": 1}.items():
        if not task.automatic_optimization and trainer[key] != off:
            truth = f"is for tasks of one optimizer, and {type(task).__name__} steps its optimizers itself."
            remedy = f"Set trainer.{key}={'null' if off is None else off}"
            raise ConfigError(Fault(f"trainer.{key}={trainer[key]}", truth, remedy))


def _comes_to_none(share: float, loaders: Any) -> bool:
    return any(int(len(loader) * share) == 0 for loader in (loaders if isinstance(loaders, list) else [loaders]))


def _limited(steps: int, limit: float) -> int:
    return min(steps, limit) if isinstance(limit, int) else max(1, int(steps * limit))
