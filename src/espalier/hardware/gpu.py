"""``hardware=gpu``: NVIDIA GPUs of this machine."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware.threads import Threads, because, threads_of


def gpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")],
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true"],
    threads: Threads,
) -> Placement:
    """One process a GPU; more than one train by DDP. ``espalier train hardware=gpu hardware.devices=2``."""
    count, limit = threads_of(threads, devices)
    return Placement("gpu", devices, precision, "ddp" if devices > 1 else "auto", count, because("as set", limit))
