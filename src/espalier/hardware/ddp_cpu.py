"""``hardware=ddp_cpu``: several processes on the CPU that share each batch."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware.threads import Threads, because, threads_of


def ddp_cpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("cpus")],
    precision: Literal["32-true", "bf16-mixed"],
    threads: Threads,
) -> Placement:
    """Distributed data parallel over gloo. ``espalier train hardware=ddp_cpu hardware.devices=2``."""
    count, limit = threads_of(threads, devices)
    return Placement("cpu", devices, precision, "ddp", count, because("as set", limit))
