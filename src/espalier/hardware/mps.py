"""``hardware=mps``: the GPU of a Mac with Apple silicon."""

from __future__ import annotations

from typing import Annotated, Literal, Unpack

from annotated_types import Ge, Le

from espalier.core.bounds import AtMost
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.common import Common, computing
from espalier.hardware.processes import require_alone
from espalier.hardware.threads import as_set, because, threads_of


def mps(
    *,
    devices: Annotated[int, Ge(1), Le(1), AtMost("apple_gpus")],
    precision: Literal["auto", "32-true", "16-mixed"],
    **common: Unpack[Common],
) -> Placement:
    """One process on Apple's GPU (Metal); ``auto`` precision is fp32. ``espalier train hardware=mps``.

    Raises:
        ConfigError: torchrun started several processes.
    """
    require_alone("mps", "ddp_cpu")
    chosen, why = quick.chosen(precision, quick.of_mps)
    count, limit = threads_of(common["threads"], 1)
    return Placement("mps", devices, chosen, "auto", count, because(as_set(why), limit), **computing(common))
