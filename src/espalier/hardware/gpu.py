"""``hardware=gpu``: NVIDIA GPUs of this machine."""

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware.threads import Threads, threads_of


def gpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")],
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true"],
    threads: Threads,
) -> Placement:
    """One process a GPU; more than one train by DDP. ``espalier train hardware=gpu hardware.devices=2``."""
    strategy = "ddp" if devices > 1 else "auto"
    return Placement("gpu", devices, precision, strategy, threads_of(threads, devices), "as set")
