"""How an attempt ended, and what that means for its trial."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from espalier.core.errors import DivergedError
from espalier.core.launching import Ended
from espalier.core.outcome import Outcome

MOST_HALVINGS = 4
_MEMORY = re.compile(r"out of memory|OutOfMemoryError|MemoryError|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE)

Kind = Literal["done", "paused", "failed", "infeasible", "again", "lost", "halve"]


@dataclass(frozen=True)
class Ending:
    """What is to be recorded.

    Attributes:
        kind: ``again``: it is placed once more and goes on; ``lost``: the same, and counted; ``halve``: the same, with
            half the micro-batch.
        why: for people.
        diverged: of one that failed: whether its run says so.
    """

    kind: Kind
    why: str = ""
    diverged: bool = False


@dataclass(frozen=True)
class Circumstances:
    """What the driver knows of the attempt.

    Attributes:
        cancelled: whether the driver itself ended it.
        lost: how often the trial was placed again because a node or a worker was lost.
        retries: how often it may be.
        halvings: how often its micro-batch was halved.
        halves: whether that is wanted: ``hardware.oom=halve``.
    """

    cancelled: bool = False
    lost: int = 0
    retries: int = 2
    halvings: int = 0
    halves: bool = False


def ending_of(outcome: Outcome | None, ended: Ended, known: Circumstances) -> Ending:
    """Judge one."""
    status = outcome.status if outcome else "running"
    if status in ("done", "paused"):
        return Ending("done" if status == "done" else "paused")
    why = (outcome.error if outcome else "") or ended.why
    if ended.out_of_memory or (status == "failed" and _MEMORY.search(why)):
        return _out_of_memory(why or "out of memory", known)
    if known.cancelled:
        return Ending("again", "ended with the sweep")
    if status == "failed" and not ended.lost:  # of several ranks, one may still write that the others are gone
        return Ending("failed", why, diverged=why.startswith(f"{DivergedError.__name__}:"))
    if ended.lost or status == "interrupted":
        why = ended.why or (f"interrupted: {why}" if why else "interrupted by somebody else")
        if known.lost < known.retries:
            return Ending("lost", why)
        return Ending("failed", f"{why}; it was placed {known.lost + 1} times (sweep.retries={known.retries})")
    return Ending("failed", why or _code(ended.code))


def halved(trainer: Mapping[str, Any], times: int) -> dict[str, int]:
    """What a trial's ``trainer`` node becomes: twice the micro-batches of half the size make the same global batch.

    Args:
        trainer: as it was planned.
        times: how often it is halved.
    """
    return {"accumulate_grad_batches": 2**times * int(trainer.get("accumulate_grad_batches", 1))}


def _out_of_memory(why: str, known: Circumstances) -> Ending:
    if known.halves and known.halvings < MOST_HALVINGS:
        return Ending("halve", "out of memory: again with half the micro-batch")
    tried = f" with a micro-batch halved {known.halvings} times" if known.halvings else ""
    return Ending("infeasible", f"{why}{tried}")


def _code(code: int) -> str:
    if code > 128:
        return f"its process was ended by signal {code - 128}"
    return f"its process ended with code {code}" if code else "its process ended without a word"
