"""How many processes train: as set, held against what torchrun or srun started, which is never fought."""

from __future__ import annotations

from typing import Literal

from espalier.core.errors import ConfigError, Fault
from espalier.core.world import World, launched


def shape(devices: int | Literal["auto"], num_nodes: int | Literal["auto"], alone: int) -> tuple[int, int, str]:
    """Processes of each node, nodes, and who decided that (``""``: the config did).

    Args:
        devices: as set.
        num_nodes: as set.
        alone: what ``devices=auto`` is where nobody started processes.

    Raises:
        ConfigError: a number is set, and it is not what was started; several nodes, and nobody started them together.
    """
    world = launched()
    if world is None:
        if num_nodes not in ("auto", 1):
            raise ConfigError(_apart(num_nodes))
        return alone if devices == "auto" else devices, 1, ""
    faults = [*_unequal(world)]
    if devices not in ("auto", world.per_node):
        began = f"{world.by} started {_processes(world.per_node)} on each node."
        remedy = f"Set hardware.devices={world.per_node}, or start {devices}:  {_start(world.by, devices, world.nodes)}"
        faults.append(Fault(f"hardware.devices={devices}", began, remedy))
    if num_nodes not in ("auto", world.nodes):
        began = f"{world.by} started processes on {world.nodes} node{'s' * (world.nodes > 1)}."
        remedy = f"Set hardware.num_nodes={world.nodes}, or start it on {num_nodes}."
        faults.append(Fault(f"hardware.num_nodes={num_nodes}", began, remedy))
    if faults:
        raise ConfigError(*faults)
    return world.per_node, world.nodes, world.by


def require_gpus(processes: int, nodes: int, by: str, gpus: int) -> None:
    """Raises ``ConfigError`` where torchrun or srun started more processes on each node than the GPUs that each sees.

    Each takes the one of its own number among all of its node: Lightning has no other way.
    """
    if not by or processes <= gpus:
        return
    truth = f"started {_processes(processes)} on each node, and each process sees {gpus} of {processes} GPUs."
    if by == "torchrun":
        raise ConfigError(Fault(by, truth, f"Start fewer:  {_start(by, gpus, nodes)}"))
    line = f"srun --nodes {nodes} --ntasks-per-node {processes} --gpus-per-node {processes} espalier train …"
    raise ConfigError(Fault(by, truth, f"Ask for GPUs of the node:  {line}  or add --gpu-bind=none"))


def require_alone(option: str, instead: str) -> None:
    """Raises ``ConfigError`` where torchrun or srun started several processes for an option that is a single one."""
    world = launched()
    if world and world.size > 1:
        truth = f"is one process, and {world.by} started {world.size}."
        remedy = f"Set hardware={instead}, or type  espalier train …  without {world.by}."
        raise ConfigError(Fault(f"hardware={option}", truth, remedy))


def _unequal(world: World) -> list[Fault]:
    if world.per_node * world.nodes == world.size:
        return []
    truth = f"started {world.size} processes on {world.nodes} nodes, not equally many on each."
    return [Fault(world.by, truth, f"Start it so:  {_start(world.by, world.per_node, world.nodes)}")]


def _apart(num_nodes: int | str) -> Fault:
    truth = "and nobody started processes on other machines: this one is alone."
    remedy = f"Start it on each of them by  torchrun --nnodes {num_nodes} …  or by  srun --nodes {num_nodes} …"
    return Fault(f"hardware.num_nodes={num_nodes}", truth, remedy)


def _start(by: str, processes: int | str, nodes: int) -> str:
    many = f"--nnodes {nodes} " if nodes > 1 else ""
    if by == "torchrun":
        return f"torchrun {many}--nproc-per-node {processes} $(which espalier) train …"
    return f"srun --nodes {nodes} --ntasks-per-node {processes} espalier train …"


def _processes(number: int) -> str:
    return f"{number} process" + "es" * (number > 1)
