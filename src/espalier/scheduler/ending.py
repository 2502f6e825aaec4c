"""Schedules that lead somewhere need a last step."""

from __future__ import annotations

from espalier.core.errors import ConfigError, Fault


def require_end(total_steps: int, option: str) -> None:
    """Nothing, for a run of so many steps.

    Raises:
        ConfigError: the run has no last step (``total_steps`` < 0).
    """
    if total_steps < 0:
        remedy = "Set trainer.max_epochs or trainer.max_steps, or scheduler=constant."
        raise ConfigError(Fault(f"scheduler={option}", "needs a last step, and this run has none.", remedy))
