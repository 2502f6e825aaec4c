"""``trainer=default``: the arguments of Lightning's Trainer that an experiment chooses, under Lightning's names."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from espalier.core.errors import ConfigError, Fault

Share = Annotated[int, Ge(1)] | Annotated[float, Gt(0), Le(1)]
_TIME = re.compile(r"(\d+):(\d{1,2}):(\d{1,2}):(\d{1,2})")


def default(
    *,
    max_epochs: Annotated[int, Ge(-1)],
    max_steps: Annotated[int, Ge(-1)],
    max_time: str | Annotated[float, Gt(0)] | None,
    accumulate_grad_batches: Annotated[int, Ge(1)],
    gradient_clip_val: Annotated[float, Gt(0)] | None,
    gradient_clip_algorithm: Literal["norm", "value"],
    val_check_interval: Share,
    check_val_every_n_epoch: Annotated[int, Ge(1)],
    limit_train_batches: Share,
    limit_val_batches: Share,
    limit_test_batches: Share,
    log_every_n_steps: Annotated[int, Ge(1)],
) -> dict[str, Any]:
    """See https://lightning.ai/docs/pytorch/stable/common/trainer.html for each. -1 is without end.

    ``espalier train trainer.max_time=30 trainer.val_check_interval=500``

    ``limit_train_batches`` and ``val_check_interval`` count global batches; the run translates them to Lightning's
    micro-batches. ``max_time`` comes back as a ``timedelta``.

    Raises:
        ConfigError: ``max_time`` is no time; or validations are to be counted by steps and by epochs.
    """
    arguments = dict(locals())
    if isinstance(val_check_interval, int) and check_val_every_n_epoch != 1:
        raise ConfigError(
            Fault(f"trainer.check_val_every_n_epoch={check_val_every_n_epoch}",
                  f"cannot hold beside trainer.val_check_interval={val_check_interval}, which counts steps.",
                  "Set one of the two.")
        )  # fmt: skip
    return {**arguments, "max_time": _duration(max_time)}


def _duration(time: str | float | None) -> timedelta | None:
    if not isinstance(time, str):
        return None if time is None else timedelta(minutes=time)
    if not (match := _TIME.fullmatch(time)) or not any(parts := [int(part) for part in match.groups()]):
        truth = "is no time: days:hours:minutes:seconds, or a number of minutes."
        raise ConfigError(Fault(f"trainer.max_time={time}", truth, "For an hour and a half:  trainer.max_time=90"))
    days, hours, minutes, seconds = parts
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
