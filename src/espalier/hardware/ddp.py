"""``hardware=ddp``: NVIDIA GPUs of one or more machines that share each batch."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import AtMost, Needs
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import require_gpus, shape
from espalier.hardware.threads import as_set, because, threads_of


def ddp(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")] | Annotated[Literal["auto"], Needs("gpus")],
    num_nodes: Annotated[int, Ge(1)] | Literal["auto"],
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true"],
    **common: Unpack[Common],
) -> Placement:
    """Distributed data parallel: a process a GPU, the whole model on each.

    ``espalier train hardware=ddp``; on two machines of four GPUs, by Slurm:
    ``srun --nodes 2 --ntasks-per-node 4 --gpus-per-node 4 espalier train hardware=ddp``

    Raises:
        ConfigError: torchrun or srun started another number than is set, or more than each sees GPUs; nobody started
            other nodes.
    """
    used, nodes, launcher = shape(devices, num_nodes, probe().gpus)
    require_gpus(used, nodes, launcher, probe().gpus)
    chosen, why = quick.chosen(precision, quick.of_gpus)
    count, limit = threads_of(common["threads"], used)
    reasons = because(as_set(launcher, why), limit)
    return Placement("gpu", used, chosen, "ddp", count, reasons, nodes, **computing(common))
