"""CPU threads of a training process: processes that each take all cores run ten times slower, so cores are divided."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.machine import probe

Threads = Annotated[int, Ge(1)] | Literal["auto"]


def threads_of(threads: Threads, processes: int) -> tuple[int, str]:
    """Threads of one of ``processes``, and the environment's word if that decided (``""`` otherwise).

    As set; or as the user's ``OMP_NUM_THREADS`` says; else the cores divided by the processes.
    """
    if threads != "auto":
        return threads, ""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # "4,2" is 4 with 2 inside each
    if given.isdecimal() and int(given) > 0:
        return int(given), f"OMP_NUM_THREADS={given}"
    return max(1, probe().cpus // processes), ""


def because(*reasons: str) -> str:
    """The reasons that there are, as one phrase for people."""
    return ", ".join(filter(None, reasons))


def as_set(*reasons: str) -> str:
    """As ``because``; where there is none, things are as they were set."""
    return because(*reasons) or "as set"
