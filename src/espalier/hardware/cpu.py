"""``hardware=cpu``: one process on the CPU."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le

from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.threads import Threads, because, threads_of


def cpu(
    *,
    devices: Annotated[int, Ge(1), Le(1)],
    precision: Literal["auto", "32-true", "bf16-mixed"],
    threads: Threads,
) -> Placement:
    """One process. ``auto`` precision is bf16 where the CPU has AMX (2 to 5 times as fast), else fp32.

    ``espalier train hardware=cpu hardware.precision=bf16-mixed``
    """
    chosen, why = (precision, "as set") if precision != "auto" else quick_precision()
    count, limit = threads_of(threads, 1)
    return Placement("cpu", devices, chosen, "auto", count, because(why, limit))


def quick_precision() -> tuple[str, str]:
    """The precision that this CPU is quick at, and why."""
    return ("bf16-mixed", "AMX") if probe().amx else ("32-true", "no AMX")
