"""A Ray actor for each machine of a trial: it starts the trial's processes there, and knows how they ended.

A trial never outlives its actor, so that one which is placed again elsewhere is not written by two. An actor outlives
the driver that made it: another one finds it by its name. It leaves by itself soon after the trial has ended.

Each trial imports its libraries anew. A warm parent on each node would save that, and would be a process that no
trial's actor owns: the kernel could not end a trial with its actor any more, Ray's count of a worker's memory would
miss it, a killed driver would leave the parent on a cluster of others, and each ``runtime_env`` asks for its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from espalier.core.launching import LOG, Ended, Job, ended_with, environment_of, words_of
from espalier.core.lock import is_held
from espalier.core.machine import oom_kills
from espalier.core.process_group import end_left_behind
from espalier.launcher.ray_head import using

_LEAVE = 60.0  # seconds after the end, for a driver that is just coming back
_RELEASED = 20.0  # seconds until a process that was killed has let go of its directory


@dataclass(frozen=True)
class Order:
    """What one actor has to do.

    Attributes:
        job: the trial.
        place: names this placing of it.
        folder: the driver's working folder.
        threads: of each process.
        node, nodes, processes: which machine this is, of how many, with how many processes each.
    """

    job: Job
    place: str
    folder: str
    threads: int
    node: int
    nodes: int
    processes: int

    def environments(self, address: tuple[str, int]) -> list[dict[str, str]]:
        """Variables of each process to start: those of torchrun for a trial of several machines."""
        each = {**environment_of(self.job), "OMP_NUM_THREADS": str(self.threads)}
        if self.nodes == 1:
            return [each]  # processes beside the first are Lightning's to start
        shared = {
            "MASTER_ADDR": address[0],
            "MASTER_PORT": str(address[1]),
            "WORLD_SIZE": str(self.nodes * self.processes),
            "LOCAL_WORLD_SIZE": str(self.processes),
            "GROUP_RANK": str(self.node),
            "TORCHELASTIC_RUN_ID": self.place,
            "TORCHELASTIC_USE_AGENT_STORE": "False",
        }
        ranks = [(local, self.node * self.processes + local) for local in range(self.processes)]
        return [{**each, **shared, "LOCAL_RANK": str(local), "RANK": str(rank)} for local, rank in ranks]


class Worker:
    """The actor. Its methods are coroutines: they are answered while the trial runs.

    Args:
        users: file of the cluster that was started for this sweep; it stays while a trial runs.
    """

    def __init__(self, users: str | None) -> None:
        self._stay = ExitStack()
        if users:
            self._stay.enter_context(using(Path(users)))
        self._children: list[subprocess.Popen[bytes]] = []
        self._ended: Ended | None = None
        self._over = asyncio.Event()
        self._stopped = 0

    async def where(self) -> tuple[str, int]:
        """Address of this machine, and a port that is free on it."""
        import ray

        with socket.socket() as probe:
            probe.bind(("", 0))
            return ray.util.get_node_ip_address(), probe.getsockname()[1]

    async def run(self, order: Order, address: tuple[str, int]) -> Ended:
        """Do it; returns when it has ended."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._attend, args=(order, address, loop), daemon=True).start()
        return await self.ended()

    async def ended(self) -> Ended:
        """Wait for the end."""
        await self._over.wait()
        assert self._ended is not None
        return self._ended

    async def signal(self, number: int, *, whole: bool) -> None:
        """Send a signal to the processes, or to the groups of all that they started."""
        self._stopped = number
        for child in self._children:
            if child.returncode is not None:
                continue  # its number may be another's
            with suppress(ProcessLookupError):
                (os.killpg if whole else os.kill)(child.pid, number)

    def _attend(self, order: Order, address: tuple[str, int], loop: asyncio.AbstractEventLoop) -> None:
        # One thread from the start to the end: processes die with the thread that started them.
        try:
            self._ended = self._work(order, address)
        except Exception as error:
            self._ended = Ended(1, f"{type(error).__name__}: {error}")
        loop.call_soon_threadsafe(self._over.set)
        time.sleep(_LEAVE)
        self._stay.close()
        if order.nodes > 1 and order.node == 0:
            _release_machines()
        os._exit(0)

    def _work(self, order: Order, address: tuple[str, int]) -> Ended:
        directory, before = order.job.directory, oom_kills()
        if not directory.is_dir():
            return Ended(1, f"{address[0]} does not see {directory}: all machines must share the sweep's folder")
        if order.node == 0:
            _wait_for_release(directory)
        if self._stopped:
            return Ended(128 + self._stopped, "ended before it began")
        with (directory / LOG).open("ab", buffering=0) as log:
            for environment in order.environments(address):
                self._children.append(_start(order, environment, log.fileno()))
            if order.node == 0:
                log.write(f"[ray] process {self._children[0].pid} on {_here()}\n".encode())
        codes = []
        for child in self._children:
            end_left_behind(child.pid, wait=True)
            codes.append(child.wait())
        return ended_with(next((code for code in codes if code), 0), starved=oom_kills() > before)


def _start(order: Order, environment: Mapping[str, str], log: int) -> subprocess.Popen[bytes]:
    folder = order.folder if Path(order.folder).is_dir() else str(order.job.directory)
    command = [sys.executable, "-m", "espalier.launcher.ray_worker", str(os.getpid()), *words_of(order.job)]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _wait_for_release(directory: Path) -> None:
    until = time.monotonic() + _RELEASED
    while is_held(directory) and time.monotonic() < until:
        time.sleep(0.05)


def _here() -> str:
    import ray

    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    node = ray.get_runtime_context().get_node_id()[:8]
    return f"{os.uname().nodename}, node {node}" + (f", GPU {gpus}" if gpus else "")


def _release_machines() -> None:
    import ray

    if group := ray.util.get_current_placement_group():
        ray.util.remove_placement_group(group)  # and with it the actors on the other machines


def _become_trial(actor: int, words: list[str]) -> None:
    """Turn this process into the trial's, which dies with the actor's thread that started it."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
        if os.getppid() != actor:
            os._exit(128 + signal.SIGKILL)
    os.execv(sys.executable, [sys.executable, "-m", "espalier.run", *words])


if __name__ == "__main__":
    _become_trial(int(sys.argv[1]), sys.argv[2:])
