"""``hardware=ddp_cpu``: several processes on the CPU that share each batch."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import shape
from espalier.hardware.threads import as_set, because, threads_of


def ddp_cpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("cpus")] | Literal["auto"],
    precision: Literal["auto", "32-true", "bf16-mixed"],
    **common: Unpack[Common],
) -> Placement:
    """Distributed data parallel over gloo. ``espalier train hardware=ddp_cpu hardware.devices=2``.

    ``torchrun --nproc-per-node 2 $(which espalier) train hardware=ddp_cpu`` does the same.

    Raises:
        ConfigError: torchrun or srun started another number than is set.
    """
    used, nodes, launcher = shape(devices, "auto", 2)
    chosen, why = quick.chosen(precision, quick.of_several)
    count, limit = threads_of(common["threads"], used)
    reasons = because(as_set(launcher, why), limit)
    return Placement("cpu", used, chosen, "ddp", count, reasons, nodes, **computing(common))
