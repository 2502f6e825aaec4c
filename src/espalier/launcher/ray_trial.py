"""A trial that was handed to Ray, as its driver sees it: an actor on each of its machines."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from espalier.core.launching import Ended, Job
from espalier.launcher.ray_share import Share
from espalier.launcher.ray_worker import Order, Worker

_SHORT = "running low on memory"  # as Ray says it of a node
_OTHERS = 30.0  # seconds that the rest of a trial's machines have to end, after the first has with an error


@dataclass
class Trial:
    """One placing of a trial.

    Attributes:
        name: of it, and of its actors with ``-<machine>`` behind it.
        namespace: the sweep's.
        actors: one on each of its machines.
        group: the placement group's id, of a trial of several machines.
        begun: done as soon as Ray has made the first actor.
        ends: how each actor's processes ended.
        slot: what people see.
    """

    name: str
    namespace: str
    actors: Sequence[Any]
    group: str
    begun: Future[Any]
    ends: list[Future[Ended]]
    slot: str = ""
    _cancelled: int = 0
    _until: float = field(default=0.0)

    @classmethod
    def place(cls, job: Job, name: str, share: Share, runtime_env: Mapping[str, Any], folder: Path | None) -> Self:
        """Hand it over. Ray begins it when there is room; what depends on where that is, its actors tell each other."""
        namespace = f"espalier-{job.directory.parent.parent.name}"
        group = _machines(share) if share.nodes > 1 else None
        users = str(folder / "users") if folder else None
        actors = [
            _actor(f"{name}-{node}", namespace, share, runtime_env, group, node).remote(users)
            for node in range(share.nodes)
        ]
        address = actors[0].where.remote()
        orders = [
            Order(job, f"{namespace}-{name}", str(Path.cwd()), share.threads, node, share.nodes, share.processes)
            for node in range(share.nodes)
        ]
        ends = [actor.run.remote(order, address).future() for actor, order in zip(actors, orders, strict=True)]
        return cls(name, namespace, actors, group.id.hex() if group else "", address.future(), ends)

    @classmethod
    def find(cls, handle: Mapping[str, Any]) -> Self | None:
        """One that an earlier driver handed over; None where an actor of it is not there any more."""
        import ray

        name, namespace = handle["name"], handle["namespace"]
        try:
            actors = [ray.get_actor(f"{name}-{node}", namespace) for node in range(handle["nodes"])]
        except ValueError:
            return None
        ends = [actor.ended.remote().future() for actor in actors]
        return cls(name, namespace, actors, handle["group"], actors[0].where.remote().future(), ends)

    def handle(self) -> dict[str, Any]:
        """What ``find`` finds it by."""
        return {"name": self.name, "namespace": self.namespace, "nodes": len(self.actors), "group": self.group}

    def ended(self) -> Ended | None:
        """How it ended, of several machines how it went wrong; None while it waits or runs."""
        self._ask_again()
        known = [_end(future, self._cancelled) for future in self.ends if future.done()]
        wrong = [end for end in known if end.code or end.lost]
        if len(known) == len(self.ends):
            return min(wrong, key=lambda end: not (end.lost or end.out_of_memory), default=known[0])
        if wrong and not self._until:
            # A machine that is lost makes the others fail at once, and is known to be lost some seconds later.
            self._until = time.monotonic() + _OTHERS
        if wrong and (any(end.lost for end in wrong) or time.monotonic() > self._until):
            return min(wrong, key=lambda end: not (end.lost or end.out_of_memory))
        return None

    def cancel(self, number: int) -> None:
        """Send a signal: SIGTERM to the first process, SIGKILL to all."""
        import ray

        self._cancelled = number
        if not self.begun.done():
            for actor in self.actors:
                ray.kill(actor)
            return
        whole = number == signal.SIGKILL
        for actor in self.actors if whole else self.actors[:1]:
            actor.signal.remote(number, whole=whole)

    def leave(self) -> None:
        """Let go of its actors, and of what they take of the cluster."""
        import ray
        from ray.util.placement_group import PlacementGroup

        if self.group:
            ray.util.remove_placement_group(PlacementGroup(ray.PlacementGroupID(bytes.fromhex(self.group))))
        for actor in self.actors:
            ray.kill(actor)

    def _ask_again(self) -> None:
        from ray.exceptions import ActorUnavailableError

        for place, future in enumerate(self.ends):
            if future.done() and isinstance(future.exception(), ActorUnavailableError):
                self.ends[place] = self.actors[place].ended.remote().future()


def _machines(share: Share) -> Any:
    import ray

    bundle = dict(share.bundle)
    return ray.util.placement_group([bundle] * share.nodes, strategy="STRICT_SPREAD", lifetime="detached")


def _actor(name: str, namespace: str, share: Share, env: Mapping[str, Any], group: Any, node: int) -> Any:
    import ray
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    amounts = dict(share.bundle)
    options: dict[str, Any] = {
        "num_cpus": amounts.pop("CPU", 0),
        "num_gpus": amounts.pop("GPU", 0),
        "memory": amounts.pop("memory", None),
        "resources": amounts,
        "runtime_env": dict(env) or None,
        "name": name,
        "namespace": namespace,
        "lifetime": "detached",
        "max_restarts": 0,
        "scheduling_strategy": "SPREAD",
    }
    if group:
        options["scheduling_strategy"] = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=node)
    return ray.remote(Worker).options(**options)


def _end(future: Future[Ended], cancelled: int) -> Ended:
    from ray import exceptions

    error = future.exception()
    if error is None:
        return future.result()
    said = str(error)
    where = next(iter(re.findall(r"\bip: (\S+)", said)), "")
    on = f" on {where}" if where else ""
    if cancelled:
        return Ended(128 + cancelled, f"ended by {signal.Signals(cancelled).name}")
    if isinstance(error, exceptions.OutOfMemoryError) or _SHORT in said:  # as the death of its actor, if it had begun
        used = next(iter(re.findall(r"\(IP: ([^,]+).*?\) was (.+?) \(", said)), ("its node", "full"))
        why = f"Ray ended it for want of memory: {used[0]} was at {used[1]}"
        return Ended(128 + signal.SIGKILL, why, out_of_memory=True)
    if isinstance(error, exceptions.ActorDiedError) and error.actor_init_failed:
        return Ended(1, f"Ray's worker could not begin: {said.strip().splitlines()[-1]}")
    if isinstance(error, exceptions.ActorDiedError | exceptions.WorkerCrashedError | exceptions.NodeDiedError):
        node = "its node has died" in said or error.__class__ is exceptions.NodeDiedError
        return Ended(128 + signal.SIGKILL, f"Ray's {'node' if node else 'worker'} was lost{on}", lost=True)
    return Ended(1, f"{type(error).__name__}: {said.strip().splitlines()[-1] if said.strip() else ''}")
