"""The places of one machine: which GPUs and how many CPU threads a trial may take, and which are taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from espalier.core.errors import Fault
from espalier.core.machine import Machine
from espalier.launcher.needs import Kind, Needs, needs_of

_THREADS = 4  # more of them make a small model little quicker, and more trials at a time tell a search more


@dataclass(frozen=True)
class Slot:
    """Where a trial runs.

    Attributes:
        places: that it takes, by number.
        threads: of each of its processes.
        gpus: that it may use, as ``CUDA_VISIBLE_DEVICES`` names them; none of a trial on the CPU.
    """

    kind: Kind
    places: tuple[int, ...]
    threads: int
    gpus: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}:{'+'.join(self.gpus or map(str, self.places))}"

    def environment(self) -> dict[str, str]:
        """Variables that keep a trial to it."""
        pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
        threads = dict.fromkeys(pools, str(self.threads))
        return {**threads, "CUDA_VISIBLE_DEVICES": ",".join(self.gpus)} if self.gpus else threads


class Slots:
    """Every place of a machine, and which are taken.

    A place is a share of the CPU cores; with GPUs there are as many places as trials that GPUs have room for. A trial
    on GPUs takes a share of each of its GPUs and a place for every ``gpus_per_trial`` of them; a trial of several
    CPU processes takes a place for each.

    Args:
        machine: what there is.
        gpus: names of its GPUs.
        trials: how many places; None: what suits the machine.
        gpus_per_trial: of a trial that does not say how many itself.
        trials_per_gpu: that share a GPU.
        threads: CPU threads of a place; None: the cores divided by the places.
        most: places that memory has room for, where it is not said how many.
    """

    def __init__(
        self,
        machine: Machine,
        gpus: Sequence[str],
        *,
        trials: int | None,
        gpus_per_trial: int,
        trials_per_gpu: int,
        threads: int | None,
        most: int,
    ) -> None:
        self.machine, self.gpus = machine, list(gpus)
        self.gpus_per_trial, self.trials_per_gpu = gpus_per_trial, trials_per_gpu
        on_gpus = len(gpus) // gpus_per_trial * trials_per_gpu
        best = on_gpus or min(most, machine.cpus // threads if threads else _many(machine.cpus))
        self.places = trials or max(1, best)
        self.threads = threads or max(1, machine.cpus // self.places)
        self._taken: set[int] = set()
        self._shares: Counter[str] = Counter()

    def names(self) -> list[str]:
        """Every place, for people."""
        if not self.gpus:
            return [f"cpu:{place}" for place in range(self.places)]
        step, many = self.gpus_per_trial, max(1, len(self.gpus) // self.gpus_per_trial)
        groups = ["+".join(self.gpus[first * step : (first + 1) * step]) for first in range(many)]
        return [f"gpu:{groups[place % many]}" for place in range(self.places)]

    def fault(self, hardware: Mapping[str, Any]) -> Fault | None:
        """Why a trial could never be placed here."""
        needs = needs_of(hardware, self.machine)
        if needs.nodes > 1:
            truth = "asks for several machines, and launcher=pool has this one."
            return Fault(f"hardware.num_nodes={needs.nodes}", truth, "Set hardware.num_nodes=1, or launcher=slurm.")
        wanted = needs.processes or self.gpus_per_trial
        if needs.kind == "gpu" and wanted > self.machine.gpus:
            what = f"hardware.devices={wanted}" if needs.processes else f"launcher.gpus_per_trial={wanted}"
            return Fault(what, f"asks for more than this machine has: {self.machine}.", f"At most {self.machine.gpus}.")
        cores = wanted * (needs.threads or 1)
        if needs.threads and cores > self.machine.cpus:
            truth = f"takes {cores} threads for a trial, and this machine has {self.machine}: it would be far slower."
            return Fault(f"hardware.threads={needs.threads}", truth, "Leave it out:  hardware.threads=auto")
        return None

    def find(self, hardware: Mapping[str, Any]) -> Slot | None:
        """A free place for such a trial; None while there is none."""
        needs = needs_of(hardware, self.machine)
        free = [place for place in range(self.places) if place not in self._taken]
        number = self._number(needs)
        gpus = self._free_gpus(needs.processes or self.gpus_per_trial) if needs.kind == "gpu" else ()
        if len(free) < number or gpus is None:
            return None
        places = tuple(free[:number])
        return Slot(needs.kind, places, self._threads(needs, places), gpus)

    def take(self, slot: Slot) -> None:
        """It is in use; of one that an earlier driver gave away, what of it there is now."""
        self._taken.update(slot.places)
        self._shares.update(slot.gpus)

    def free(self, slot: Slot) -> None:
        """It is not any more."""
        self._taken.difference_update(slot.places)
        self._shares.subtract(slot.gpus)

    def _number(self, needs: Needs) -> int:
        if needs.kind == "gpu":
            wanted = math.ceil((needs.processes or self.gpus_per_trial) / self.gpus_per_trial)
        else:
            processes = needs.processes or 1
            wanted = math.ceil(processes * needs.threads / self.threads) if needs.threads else processes
        return min(wanted, self.places)

    def _threads(self, needs: Needs, places: tuple[int, ...]) -> int:
        processes = needs.processes or (self.gpus_per_trial if needs.kind == "gpu" else 1)
        return needs.threads or max(1, len(places) * self.threads // processes)

    def _free_gpus(self, number: int) -> tuple[str, ...] | None:
        free = [name for name in self.gpus if self._shares[name] < self.trials_per_gpu]
        free.sort(key=lambda name: self._shares[name])
        return tuple(sorted(free[:number], key=self.gpus.index)) if len(free) >= number else None


def _many(cpus: int) -> int:
    """Trials at a time on so many cores: one on each of the first four, then four threads each."""
    return max(min(cpus, _THREADS), cpus // _THREADS)
