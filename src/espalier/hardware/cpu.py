"""``hardware=cpu``: one process on the CPU."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge, Le

from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import require_alone
from espalier.hardware.threads import as_set, because, threads_of


def cpu(
    *,
    devices: Annotated[int, Ge(1), Le(1)],
    precision: Literal["auto", "32-true", "bf16-mixed"],
    **common: Unpack[Common],
) -> Placement:
    """One process. ``auto`` precision is bf16 where the CPU was measured to be quicker at it, else fp32.

    ``espalier train hardware=cpu hardware.precision=bf16-mixed``

    Raises:
        ConfigError: torchrun or srun started several processes.
    """
    require_alone("cpu", "ddp_cpu")
    chosen, why = quick.chosen(precision, quick.of_cpu)
    count, limit = threads_of(common["threads"], 1)
    return Placement("cpu", devices, chosen, "auto", count, because(as_set(why), limit), **computing(common))
