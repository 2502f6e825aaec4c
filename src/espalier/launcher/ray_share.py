"""What a trial takes of a Ray cluster, and what is free of it: asked many times a second, so counted here."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from espalier.core.machine import Machine
from espalier.launcher.needs import needs_of

_GIB = 2**30
_FRESH = 1.0  # seconds between two looks at the cluster
_SETTLED = 3.0  # seconds until a cluster's own count shows what was placed or has ended


@dataclass(frozen=True)
class Share:
    """What one trial takes.

    Attributes:
        nodes: machines.
        processes: on each of them.
        threads: of each process.
        bundle: on each machine, by Ray's names of resources: ``{"CPU": 2.0, "GPU": 1.0}``.
    """

    nodes: int
    processes: int
    threads: int
    bundle: Mapping[str, float]

    def __str__(self) -> str:
        """For people: ``4 CPU, 1 GPU``."""
        amounts = {**self.bundle, "memory": self.bundle.get("memory", 0) / _GIB}
        return ", ".join(f"{value:g} {'GiB' if name == 'memory' else name}" for name, value in amounts.items() if value)


@dataclass(frozen=True)
class Asked:
    """What the launcher's keys say of one trial; ``None`` is ``auto``."""

    cpus: float | None
    gpus: float | None
    memory: float | None
    resources: Mapping[str, float]
    nodes: int | None

    def share(self, hardware: Mapping[str, Any], largest: Machine) -> Share:
        """Of a trial with this ``hardware`` node, on a cluster whose largest node is such a machine."""
        needs = needs_of(hardware, largest)
        nodes = self.nodes or needs.nodes
        on_gpus = needs.kind == "gpu"
        gpus = 0.0 if not on_gpus else self.gpus if self.gpus is not None else float(needs.processes or 1)
        processes = needs.processes or max(1, math.floor(gpus))
        if nodes > 1 and not on_gpus and not isinstance(hardware.get("devices"), int):
            processes = 1  # hardware.devices=auto is two processes for want of other machines
        cpus = self.cpus if self.cpus is not None else float(processes * (needs.threads or _said_threads()))
        threads = needs.threads or max(1, math.floor(cpus / processes))
        memory = (self.memory or 0.0) * _GIB
        bundle = {"CPU": cpus, "GPU": gpus, "memory": float(math.ceil(memory)), **self.resources}
        return Share(nodes, processes, threads, {name: value for name, value in bundle.items() if value})


def _said_threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(given) if given.isdecimal() and int(given) else 1


class Free:
    """What is free of a cluster.

    Ray's own count lags behind what is placed and what ends, so this one counts the sweep's own trials, and takes from
    Ray's only what others have, read while nothing of ours has changed for a while.

    Args:
        nodes: tells the resources of each node that is there.
        available: tells what is free in all, by Ray's count; None where nobody else uses the cluster.
        clock: seconds.
    """

    def __init__(
        self,
        nodes: Callable[[], Sequence[Mapping[str, float]]],
        available: Callable[[], Mapping[str, float]] | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask_nodes, self._ask_available, self._clock = nodes, available, clock
        self._taken: dict[str, Share] = {}
        self._others: Mapping[str, float] = {}
        self._looked = self._changed = -math.inf
        self._nodes: Sequence[Mapping[str, float]] = ()

    def nodes(self) -> Sequence[Mapping[str, float]]:
        """Resources of each node, at most a second old."""
        if self._clock() - self._looked >= _FRESH:
            self._looked = self._clock()
            self._nodes = self._ask_nodes()
            if self._ask_available and self._clock() - self._changed >= _SETTLED:
                self._others = _left(_sum(self._nodes), self._ask_available(), self._ours())
        return self._nodes

    def take(self, name: str, share: Share) -> None:
        """A trial was handed over."""
        self._taken[name] = share
        self._changed = self._clock()

    def give(self, name: str) -> None:
        """It has ended."""
        if self._taken.pop(name, None):
            self._changed = self._clock()

    def has(self, share: Share) -> bool:
        """Whether there is room for one more such trial."""
        able = [node for node in self.nodes() if holds(node, share)]
        left = _left(_sum(self._nodes), self._ours(), self._others)
        return len(able) >= share.nodes and holds(left, share, times=share.nodes)

    def places(self, share: Share) -> int:
        """How many such trials the cluster holds at a time when it is empty."""
        each = [int(min(node.get(k, 0) / v for k, v in share.bundle.items())) for node in self.nodes()]
        many = range(1, sum(each) + 1)
        return max((t for t in many if sum(min(t, here) for here in each) >= share.nodes * t), default=0)

    def _ours(self) -> dict[str, float]:
        return _sum({k: v * share.nodes for k, v in share.bundle.items()} for share in self._taken.values())


def holds(there: Mapping[str, float], share: Share, times: int = 1) -> bool:
    """Whether there is enough for a trial's part on one node, so many times."""
    return all(there.get(name, 0.0) + 1e-6 >= value * times for name, value in share.bundle.items())


def largest(nodes: Sequence[Mapping[str, float]]) -> Machine:
    """A machine with the most CPUs and the most GPUs that a node has."""
    cpus, gpus = (int(max((node.get(kind, 0) for node in nodes), default=0)) for kind in ("CPU", "GPU"))
    return Machine(cpus, gpus, False)


def _sum(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in amounts:
        for name, value in each.items():
            total[name] = total.get(name, 0.0) + value
    return total


def _left(there: Mapping[str, float], *taken: Mapping[str, float]) -> dict[str, float]:
    return {name: max(0.0, value - sum(each.get(name, 0.0) for each in taken)) for name, value in there.items()}
