"""CPU threads of a training process: processes that each take all cores run ten times slower, so cores are divided."""

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.machine import probe

Threads = Annotated[int, Ge(1)] | Literal["auto"]


def threads_of(threads: Threads, processes: int) -> int:
    """As set, else the cores divided by the processes."""
    return max(1, probe().cpus // processes) if threads == "auto" else threads
