"""What ``sbatch`` is asked for: as set, and where nothing is set, what follows from the trial's ``hardware`` node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from espalier.core.errors import Fault
from espalier.core.machine import Machine
from espalier.launcher.needs import needs_of
from espalier.launcher.slurm_nodes import gpus_in

_GPUS = ("gpus", "gpus_per_node", "gpus_per_socket", "gpus_per_task", "gres", "tres_per_task")
_ALONE = {"cpu": "ddp_cpu", "gpu": "ddp", "mps": "ddp_cpu"}  # of one node only; instead


@dataclass(frozen=True)
class Order:
    """Equal orders can share an array.

    Attributes:
        nodes: machines.
        tasks: processes that ``srun`` starts on each.
        processes: that each of those makes itself of the trial.
        parameters: the other parameters of ``sbatch``, by its names.
    """

    nodes: int
    tasks: int
    processes: int
    parameters: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        """For people, as words of ``sbatch``."""
        words = {"nodes": self.nodes, "ntasks-per-node": self.tasks, **dict(self.parameters)}
        return " ".join(f"--{key.replace('_', '-')}={value}" for key, value in words.items())


def order_of(hardware: Mapping[str, Any], sbatch: Mapping[str, Any]) -> Order:
    """For a trial with this ``hardware`` node, and what is set of the launcher.

    On one node ``srun`` starts one process, which starts the others as it does anywhere; on several it starts all:
    as many on each as the trial says, else one for each GPU, else one.
    """
    given = {key: value for key, value in sbatch.items() if value is not None and value is not False}
    needs = needs_of(hardware, _node(hardware, given))
    nodes = given.pop("nodes", None) or needs.nodes
    said = _whole(hardware.get("devices")) if nodes > 1 else needs.processes
    wanted = said or max(_gpus_by(given, nodes).values()) or 1
    tasks = given.pop("ntasks_per_node", None) or (wanted if nodes > 1 else 1)
    processes = wanted if nodes == tasks == 1 else 1
    if needs.kind == "gpu" and not any(key in given for key in _GPUS):
        given["gpus_per_node"] = wanted
    cpus = processes * (needs.threads or 1)
    if cpus > 1 and not {"cpus_per_task", "cpus_per_gpu"} & given.keys():
        given["cpus_per_task"] = cpus
    return Order(nodes, tasks, processes, tuple((key, _spelled(value)) for key, value in sorted(given.items())))


def faults_of(hardware: Mapping[str, Any], sbatch: Mapping[str, Any]) -> Iterator[Fault]:
    """What does not go together."""
    nodes, own = sbatch.get("nodes"), _whole(hardware.get("num_nodes"))
    option = str(hardware.get("_target_", "")).rpartition(".")[2]
    if nodes and own and nodes != own:
        truth = f"and the trial's hardware.num_nodes is {own}."
        yield Fault(f"launcher.nodes={nodes}", truth, "Leave one of them out: launcher.nodes=null")
    elif nodes and nodes > 1 and option in _ALONE:
        truth = f"hardware={option} is of one machine."
        yield Fault(f"launcher.nodes={nodes}", truth, f"Set hardware={_ALONE[option]}, or launcher.nodes=1")
    yield from _too_few_gpus(_whole(hardware.get("devices")) or 0, sbatch, nodes or own or 1)


def _too_few_gpus(devices: int, sbatch: Mapping[str, Any], nodes: int) -> Iterator[Fault]:
    for key, there in _gpus_by(sbatch, nodes).items():
        if 0 < there < devices:
            truth = f"and the trial's hardware.devices is {devices}."
            yield Fault(f"launcher.{key}={_spelled(sbatch[key])}", truth, f"Leave it out:  launcher.{key}=null")


def _gpus_by(sbatch: Mapping[str, Any], nodes: int) -> dict[str, int]:
    """GPUs of each node, by the parameter that asks for them: ``4``, ``a100:4``, in ``gres`` ``gpu:a100:4``."""
    asked = {key: str(_spelled(sbatch.get(key) or 0)).split(",") for key in ("gpus_per_node", "gpus")}
    each, whole = (gpus_in(",".join(f"gpu:{kind}" for kind in kinds)) for kinds in asked.values())
    return {"gpus_per_node": each, "gres": gpus_in(str(_spelled(sbatch.get("gres")))), "gpus": whole // nodes}


def _node(hardware: Mapping[str, Any], given: Mapping[str, Any]) -> Machine:
    """A node of the cluster, known by what is asked for: ``hardware=auto`` takes GPUs that it is given."""
    asked = str(hardware.get("_target_", "")).startswith("espalier.hardware.auto.")
    gpus = any(key in given for key in _GPUS) or _whole(hardware.get("devices")) is not None if asked else True
    return Machine(cpus=1, gpus=int(gpus), bf16=False)


def _spelled(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
