"""``hardware=auto``: what this machine is best at."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.errors import ConfigError, Fault
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import require_gpus, shape
from espalier.hardware.threads import because, threads_of

_GIVEN = "precision as set"

Precision = Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true"]


def auto(
    *, devices: Annotated[int, Ge(1), AtMost("gpus")] | Literal["auto"], precision: Precision, **common: Unpack[Common]
) -> Placement:
    """All GPUs, in bf16 where they can and else in fp16; without one the CPU, in bf16 where that is quicker.

    Under torchrun and srun: a process for each one that they started. ``espalier train hardware.precision=32-true``

    Raises:
        ConfigError: fp16 on a machine without a GPU; torchrun or srun started another number than is set, or more than
            each sees GPUs.
    """
    gpus = probe().gpus
    if gpus and quick.gpu_capabilities():
        return _on_gpus(gpus, devices, precision, common)
    return _on_cpu(precision, common, "torch cannot use the GPUs here" if gpus else "no GPU")


def _on_gpus(gpus: int, devices: int | Literal["auto"], precision: Precision, common: Common) -> Placement:
    used, nodes, launcher = shape(devices, "auto", gpus)
    require_gpus(used, nodes, launcher, gpus)
    what = "1 GPU here" if gpus == 1 else f"{used} of {gpus} GPUs" + (" as set" if devices != "auto" else "")
    chosen, why = quick.of_gpus() if precision == "auto" else (precision, _GIVEN)
    count, limit = threads_of(common["threads"], used)
    strategy = "ddp" if used * nodes > 1 else "auto"
    reasons = because(what, launcher, why, limit)
    return Placement("gpu", used, chosen, strategy, count, reasons, nodes, **computing(common))


def _on_cpu(precision: Precision, common: Common, what: str) -> Placement:
    if precision == "16-mixed":
        raise ConfigError(
            Fault("hardware.precision=16-mixed", "is for GPUs, and this machine has none.",
                  "Set hardware.precision=auto, or bf16-mixed.")
        )  # fmt: skip
    used, nodes, launcher = shape("auto", "auto", 1)
    many = used * nodes > 1
    asked = quick.of_several if many else quick.of_cpu
    chosen, why = asked() if precision == "auto" else (precision, _GIVEN)
    count, limit = threads_of(common["threads"], used)
    reasons = because(what, launcher, why, limit)
    return Placement("cpu", used, chosen, "ddp" if many else "auto", count, reasons, nodes, **computing(common))
