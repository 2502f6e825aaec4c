"""What a sweep is told beside its search, its pruning rule and its launcher: the node ``sweep``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How many trials, judged by what, and what becomes of those that fail. ``espalier train -m sweep=tpe``.

    Args:
        trials: configurations that a search tries; None: a whole grid, or ``DEFAULT_TRIALS``.
        space: whether the options' own spaces (``conf/space``) are searched.
        objectives: metric names, each with ``:max`` or ``:min`` unless its direction is known; ``auto`` is the task's.
        finalists: configurations that get every further seed.
        retries: placements more for a trial whose node or worker was lost.
        max_failures: failed trials that end the sweep.
        max_time: minutes.
        seed: of the search.
        test: whether the winner is tested.
        detach: whether the driver leaves when everything is handed over.
        dir: a sweep's directory to go on with.
    """

    trials: Annotated[int, Ge(1)] | None
    space: Literal["auto", "all", "none"]
    objectives: list[str]
    finalists: Annotated[int, Ge(1)]
    retries: Annotated[int, Ge(0)]
    max_failures: Annotated[int, Ge(1)] | None
    max_time: Annotated[float, Gt(0)] | None
    seed: Annotated[int, Ge(0)]
    test: bool
    detach: bool
    dir: str | None


DEFAULT_TRIALS = 20
