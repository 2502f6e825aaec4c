"""``hardware=auto``: what this machine is best at."""

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.cpu import quick_precision
from espalier.hardware.threads import Threads, threads_of

Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true"]


def auto(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")] | Literal["auto"],
    precision: Precision,
    threads: Threads,
) -> Placement:
    """All GPUs in bf16 where there are some; else the CPU, in bf16 if it has AMX, else in fp32."""
    gpus = probe().gpus
    if not gpus:
        chosen, why = quick_precision()
        chosen = chosen if precision == "auto" else precision
        return Placement("cpu", 1, chosen, "auto", threads_of(threads, 1), f"no GPU, {why}")
    count = gpus if devices == "auto" else devices
    chosen = "bf16-mixed" if precision == "auto" else precision
    strategy = "ddp" if count > 1 else "auto"
    return Placement("gpu", count, chosen, strategy, threads_of(threads, count), f"{gpus} GPUs here")
