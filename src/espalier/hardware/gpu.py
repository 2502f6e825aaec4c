"""``hardware=gpu``: NVIDIA GPUs of this machine."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import require_alone
from espalier.hardware.threads import as_set, because, threads_of


def gpu(
    *,
    devices: Annotated[int, Ge(1), AtMost("gpus")],
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true"],
    **common: Unpack[Common],
) -> Placement:
    """One process a GPU; more than one train by DDP. ``espalier train hardware=gpu hardware.devices=2``.

    Raises:
        ConfigError: torchrun or srun started several processes.
    """
    require_alone("gpu", "ddp")
    chosen, why = quick.chosen(precision, quick.of_gpus)
    count, limit = threads_of(common["threads"], devices)
    strategy = "ddp" if devices > 1 else "auto"
    return Placement("gpu", devices, chosen, strategy, count, because(as_set(why), limit), **computing(common))
