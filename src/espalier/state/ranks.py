"""Questions to all processes of a run. With one process they cost nothing and answer at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


def gather_objects(value: T) -> list[T]:
    """Each rank's value, in rank order, on every rank; ``[value]`` without a process group. All ranks must ask."""
    if not _together():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


def highest(value: int) -> int:
    """The largest of the ranks' values. All ranks must ask."""
    if not _together():
        return value
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    answer = torch.tensor(value, device=device)
    dist.all_reduce(answer, dist.ReduceOp.MAX)
    return int(answer)


def any_rank(flag: bool) -> bool:
    """Whether the flag is up on any rank. All ranks must ask."""
    return bool(highest(int(flag)))


def own_part(draw: Callable[[int], torch.Tensor], rows: int) -> torch.Tensor:
    """Random numbers for some rows: what several ranks draw from equal states is cut, so that each has its own.

    Args:
        draw: gives the numbers of so many rows, which are its first axis.
    """
    ranks, rank = (dist.get_world_size(), dist.get_rank()) if _together() else (1, 0)
    return draw(ranks * rows)[rank * rows :][:rows]


def _together() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
