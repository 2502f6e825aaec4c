"""``hardware=auto``: what this machine is best at."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.errors import ConfigError, Fault
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.cpu import quick_precision
from espalier.hardware.threads import Threads, because, threads_of

Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true"]


def auto(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")] | Literal["auto"],
    precision: Precision,
    threads: Threads,
) -> Placement:
    """All GPUs in bf16 where there are some; else the CPU, in bf16 if it has AMX, else in fp32.

    ``espalier train hardware=auto hardware.precision=32-true``

    Raises:
        ConfigError: fp16 on a machine without a GPU.
    """
    gpus = probe().gpus
    return _on_gpus(gpus, devices, precision, threads) if gpus else _on_cpu(precision, threads)


def _on_gpus(gpus: int, devices: int | Literal["auto"], precision: Precision, threads: Threads) -> Placement:
    used = gpus if devices == "auto" else devices
    what = "1 GPU here" if gpus == 1 else f"{used} of {gpus} GPUs" + (" as set" if devices != "auto" else "")
    chosen, why = ("bf16-mixed", "") if precision == "auto" else (precision, "precision as set")
    count, limit = threads_of(threads, used)
    return Placement("gpu", used, chosen, "ddp" if used > 1 else "auto", count, because(what, why, limit))


def _on_cpu(precision: Precision, threads: Threads) -> Placement:
    if precision == "16-mixed":
        raise ConfigError(
            Fault("hardware.precision=16-mixed", "is for GPUs, and this machine has none.",
                  "Set hardware.precision=auto, or bf16-mixed.")
        )  # fmt: skip
    chosen, why = quick_precision() if precision == "auto" else (precision, "precision as set")
    count, limit = threads_of(threads, 1)
    return Placement("cpu", 1, chosen, "auto", count, because("no GPU", why, limit))
