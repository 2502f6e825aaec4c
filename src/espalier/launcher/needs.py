"""What a trial asks of the machine that runs it, read from its ``hardware`` node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from espalier.core.machine import Machine

Kind = Literal["cpu", "gpu", "mps"]
_CPU, _SHARED_CPU = "espalier.hardware.cpu.", ("espalier.hardware.ddp_cpu.", "espalier.hardware.fsdp_cpu.")
_GPU = ("espalier.hardware.gpu.", "espalier.hardware.ddp.", "espalier.hardware.fsdp.")
_MPS, _AUTO = "espalier.hardware.mps.", "espalier.hardware.auto."
_ALONE = 2  # processes that these start where nobody says how many


@dataclass(frozen=True)
class Needs:
    """What one trial takes.

    Attributes:
        kind: what it computes on.
        processes: of each node, a GPU each where it is on GPUs; None: as many as there are GPUs for it.
        threads: of each process, as set; None: as many as there are for it.
        nodes: machines.
    """

    kind: Kind
    processes: int | None
    threads: int | None
    nodes: int


def needs_of(hardware: Mapping[str, Any], machine: Machine) -> Needs:
    """Of a resolved ``hardware`` node; a user's own is on GPUs where there are some, unless it says ``cpu``."""
    target = str(hardware.get("_target_", ""))
    threads, nodes = _whole(hardware.get("threads")), _whole(hardware.get("num_nodes")) or 1
    devices = _whole(hardware.get("devices"))
    if target.startswith(_MPS):
        return Needs("mps", 1, threads, nodes)
    if target.startswith(_AUTO) and not machine.gpus:
        return Needs("cpu", 1, threads, nodes)
    if target.startswith(_GPU):
        return Needs("gpu", devices, threads, nodes)
    if target.startswith((_CPU, *_SHARED_CPU)) or hardware.get("accelerator") == "cpu" or not machine.gpus:
        alone = _ALONE if target.startswith(_SHARED_CPU) else 1
        return Needs("cpu", devices or alone, threads, nodes)
    return Needs("gpu", devices, threads, nodes)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
