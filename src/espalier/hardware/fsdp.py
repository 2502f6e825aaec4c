"""``hardware=fsdp``: NVIDIA GPUs that share each batch and the model."""

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
from espalier.state.sharded import strategy_of


def fsdp(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")] | Annotated[Literal["auto"], Needs("gpus")],
    num_nodes: Annotated[int, Ge(1)] | Literal["auto"],
    precision: Literal["auto", "32-true", "bf16-mixed", "bf16-true"],
    offload: bool,
    **common: Unpack[Common],
) -> Placement:
    """Fully sharded data parallel: a process a GPU, a part of each parameter on each, for models too large for one.

    ``espalier train hardware=fsdp``; on two machines of four GPUs, by Slurm:
    ``srun --nodes 2 --ntasks-per-node 4 --gpus-per-node 4 espalier train hardware=fsdp``

    Raises:
        ConfigError: torchrun or srun started another number than is set, or more than each sees GPUs; nobody started
            other nodes.
    """
    used, nodes, launcher = shape(devices, num_nodes, probe().gpus)
    require_gpus(used, nodes, launcher, probe().gpus)
    chosen, why = quick.chosen(precision, quick.of_shards)
    count, limit = threads_of(common["threads"], used)
    reasons = because("sharded", as_set(launcher, why), limit)
    return Placement("gpu", used, chosen, strategy_of(offload=offload), count, reasons, nodes, **computing(common))
