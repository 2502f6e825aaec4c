"""``launcher=ray``: trials by Ray, on a cluster that runs already or on one that is started on this machine."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt

from espalier.core.errors import Fault, UserError
from espalier.core.launching import Ended, Job, Placed
from espalier.core.machine import Machine, probe
from espalier.launcher.ray_cluster import Cluster, missing
from espalier.launcher.ray_share import Asked, Free, Share, holds, largest
from espalier.launcher.ray_trial import Trial

Amount = Annotated[float, Gt(0)] | Literal["auto"]
_ALONG = (
    "ESPALIER_",
    "WANDB_",
    "HF_",
    "TRANSFORMERS_",
    "TOKENIZERS_",
    "TORCH_",
    "PYTORCH_",
    "NCCL_",
    "GLOO_",
    "CUBLAS_",
)


class Ray:
    """Each trial is a named actor that starts its processes, on one machine or on several.

    ``espalier train -m launcher=ray launcher.address=auto launcher.gpus_per_trial=0.5``

    Trials outlive the driver, and another one finds them by name. A trial whose worker or machine is lost goes on from
    its checkpoint elsewhere. The driver's variables for Espalier, W&B, Hugging Face and torch go along with a trial.

    Args:
        address: of the cluster; None: one is started here, and ends with the sweep.
        cpus_per_trial: of each of its nodes.
        gpus_per_trial: of each of its nodes.
        memory: GiB of each of its nodes.
        resources: of each of its nodes.
        nodes_per_trial: machines of one trial.
        runtime_env: handed to Ray.
        max_concurrent: trials that are handed over at a time, whether they fit in or wait.
    """

    def __init__(
        self,
        *,
        address: str | None,
        cpus_per_trial: Amount,
        gpus_per_trial: Annotated[float, Ge(0)] | Literal["auto"],
        memory: Annotated[float, Gt(0)] | None,
        resources: dict[str, float],
        nodes_per_trial: Annotated[int, Ge(1)] | Literal["auto"],
        runtime_env: dict[str, Any],
        max_concurrent: Annotated[int, Ge(1)] | None,
    ) -> None:
        cpus, gpus = (None if value == "auto" else value for value in (cpus_per_trial, gpus_per_trial))
        nodes = None if nodes_per_trial == "auto" else nodes_per_trial
        self._asked = Asked(cpus, gpus, memory, resources, nodes)
        self._address, self._env, self._most = address, runtime_env, max_concurrent
        self._joined: Cluster | None = None
        self._free: Free | None = None
        self._trials: dict[str, Trial] = {}
        self._smallest: Share | None = None

    def __enter__(self) -> Self:
        if self._address is not None:
            self._join()
        return self

    def __exit__(self, *_: object) -> None:
        if self._joined:
            self._joined.close()

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        """Ray is not there, a cluster does not answer, or has no node that is large enough."""
        if fault := missing():
            return [fault]
        try:
            nodes = self._nodes()
        except UserError as error:
            return list(error.faults)
        shares = [self._asked.share(hardware, largest(nodes)) for hardware in jobs]
        if shares and not self._smallest:
            self._smallest = min(shares, key=lambda share: (share.nodes, *share.bundle.values()))
        faults = [fault for share in shares if (fault := self._too_large(share, nodes))]
        return list(dict.fromkeys(faults))

    def machine(self) -> Machine | None:
        """Of the cluster that it is connected to, unless that may grow; before one is started here: this machine."""
        if self._address is None:
            return probe()
        if self._joined is None or self._most is not None:
            return None
        nodes = self._nodes()
        return replace(largest(nodes), nodes=len(nodes), cluster=f"the cluster at {self._address}")

    def slots(self) -> list[str]:
        """So many trials of the smallest kind fit in, or may be handed over."""
        nodes = self._nodes()
        share = self._smallest or self._asked.share({}, largest(nodes))
        fitting = Free(lambda: nodes, None).places(share)
        return [f"ray:{number}" for number in range(self._most or fitting)]

    def fits(self, job: Job, /) -> bool:
        """Whether the cluster has room for it, or ``max_concurrent`` is not reached."""
        if self._most is not None:
            return len(self._trials) < self._most
        _, free = self._join()
        return free.has(self._share(job.hardware))

    def submit(self, job: Job, /) -> Placed:
        """Hand it to Ray, which begins it as soon as there is room."""
        cluster, free = self._join()
        share = self._share(job.hardware)
        name = f"{job.directory.name}-{secrets.token_hex(2)}"
        along = {key: value for key, value in os.environ.items() if key.startswith(_ALONG)}
        job = Job(job.directory, job.resume, job.hardware, {**along, **job.environment}, job.verb)
        trial = Trial.place(job, name, share, self._env, cluster.folder)
        self._trials[name] = trial
        free.take(name, share)
        return Placed(self._slot(trial), {**trial.handle(), "address": self._address, "folder": _text(cluster.folder)})

    def poll(self, placed: Placed, /) -> Ended | None:
        """How it ended."""
        name = placed.handle["name"]
        trial = self._trials.get(name)
        if trial is None:
            return Ended(1, "Ray does not know it any more", lost=True)
        ended = trial.ended()
        if ended:
            trial.leave()
            del self._trials[name]
            self._join()[1].give(name)
        return ended

    def reattach(self, placed: Placed, job: Job, /) -> bool:
        """Find its actors by their names."""
        if placed.handle.get("address") != self._address:
            return False
        if self._joined is None and self._address is None:
            cluster = Cluster(None)
            if missing() or not cluster.take_up(Path(placed.handle["folder"])):
                return False
            self._use(cluster)
        cluster, free = self._join()
        trial = Trial.find(placed.handle) if _text(cluster.folder) == placed.handle["folder"] else None
        if trial is None:
            return False
        trial.slot = placed.slot
        self._trials[trial.name] = trial
        free.take(trial.name, self._share(job.hardware))
        return True

    def cancel(self, placed: Placed, /, *, now: bool) -> None:
        """Send a signal through its actors; one that Ray has not begun is taken back."""
        trial = self._trials.get(placed.handle["name"])
        if trial:
            trial.cancel(signal.SIGKILL if now else signal.SIGTERM)

    def _join(self) -> tuple[Cluster, Free]:
        if self._joined is None:
            cluster = Cluster(self._address)
            cluster.connect()
            self._use(cluster)
        assert self._joined and self._free
        return self._joined, self._free

    def _use(self, cluster: Cluster) -> None:
        self._joined = cluster
        self._free = Free(cluster.nodes, cluster.available if self._address else None)

    def _nodes(self) -> list[Mapping[str, float]]:
        """Of the cluster; before one is started here: what it will have."""
        if self._joined is None and self._address is None:
            return [_as_node(probe(), self._asked.resources)]
        return list(self._join()[1].nodes())

    def _share(self, hardware: Mapping[str, Any]) -> Share:
        return self._asked.share(hardware, largest(self._join()[1].nodes()))

    def _slot(self, trial: Trial) -> str:
        taken = {other.slot for other in self._trials.values()}
        trial.slot = next(slot for number in range(len(taken) + 1) if (slot := f"ray:{number}") not in taken)
        return trial.slot

    def _too_large(self, share: Share, nodes: list[Mapping[str, float]]) -> Fault | None:
        able = sum(holds(node, share) for node in nodes)
        if able >= share.nodes or (self._most is not None and self._address is not None):
            return None
        wanted = f"{share.nodes} nodes with {share} each" if share.nodes > 1 else f"a node with {share}"
        where = "this machine" if self._address is None else f"the cluster at {self._address}"
        has = "; ".join(sorted({f"{node.get('CPU', 0):g} CPU, {node.get('GPU', 0):g} GPU" for node in nodes}))
        truth = f"takes {wanted} for a trial, and {where} has {len(nodes)}: {has}."
        grow = " A cluster that grows when it is asked:  launcher.max_concurrent=8" if self._address else ""
        return Fault("launcher=ray", truth, f"See launcher.cpus_per_trial, launcher.gpus_per_trial.{grow}")


def _as_node(machine: Machine, resources: Mapping[str, float]) -> Mapping[str, float]:
    return {"CPU": machine.cpus, "GPU": machine.gpus, "memory": float("inf"), **dict.fromkeys(resources, 0.0)}


def _text(folder: Path | None) -> str:
    return str(folder or "")
