"""``hardware=fsdp_cpu``: several processes on the CPU that share each batch and the model."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import shape
from espalier.hardware.threads import as_set, because, threads_of
from espalier.state.sharded import strategy_of


def fsdp_cpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("cpus")] | Literal["auto"],
    num_nodes: Annotated[int, Ge(1)] | Literal["auto"],
    precision: Literal["auto", "32-true", "bf16-mixed", "bf16-true"],
    **common: Unpack[Common],
) -> Placement:
    """Fully sharded data parallel over gloo. ``espalier train hardware=fsdp_cpu hardware.devices=2``.

    For machines that hold a part of the model each, and to try on a laptop what ``hardware=fsdp`` will do.

    Raises:
        ConfigError: torchrun or srun started another number than is set, or nobody started other nodes.
    """
    used, nodes, launcher = shape(devices, num_nodes, 2)
    chosen, why = quick.chosen(precision, quick.of_several)
    count, limit = threads_of(common["threads"], used)
    reasons = because("sharded", as_set(launcher, why), limit)
    return Placement("cpu", used, chosen, strategy_of(offload=False), count, reasons, nodes, **computing(common))
