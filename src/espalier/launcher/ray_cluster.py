"""The connection to a Ray cluster: one that is there, or one that is started on this machine. Ray is imported here."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from espalier.core.errors import Fault, UserError
from espalier.launcher import ray_head

_SEE = "See on its machine:  ray status.  Leave launcher.address out, and one is started here."
_ANSWERS = 5.0  # seconds
_ENDS = 20.0  # seconds that leaving waits for a cluster that was started here


def missing() -> Fault | None:
    """The line that installs Ray, where it is not."""
    if importlib.util.find_spec("ray"):
        return None
    return Fault("launcher=ray", "needs Ray, which is not installed.", "Install it:  pip install 'espalier[ray]'")


class Cluster:
    """A cluster that this process is connected to; made once in a process.

    Attributes:
        folder: of the cluster that was started here (``ray_head``); None of one that was there.
    """

    def __init__(self, address: str | None) -> None:
        self._stay = ExitStack()
        self._head: subprocess.Popen[bytes] | None = None
        self.address = address
        self.folder: Path | None = None

    def connect(self) -> None:
        """To the one at the address; without one it is started.

        Raises:
            UserError: nobody answers there.
            RunFailedError: it did not start.
        """
        if self.address is not None:
            _require_answer(self.address)
            self._join(self.address)
            return
        self.folder = ray_head.new_folder()
        self._stay.enter_context(ray_head.using(self.folder / ray_head.USERS))
        self._head = ray_head.start(self.folder)
        os.environ.update(ray_head.environment_for(self.folder))
        self._join(ray_head.wait_for(self.folder, self._head))

    def take_up(self, folder: Path) -> bool:
        """Connect to one that an earlier driver started; False where it is not there any more."""
        if not folder.is_dir():
            return False
        self._stay.enter_context(ray_head.using(folder / ray_head.USERS))
        address = ray_head.address_of(folder)
        if address is None:
            self._stay.close()
            return False
        os.environ.update(ray_head.environment_for(folder))
        self._join(address)
        self.folder = folder
        return True

    def close(self) -> None:
        """Leave it. One that was started here ends, as soon as no trial runs on it."""
        import ray

        ray.shutdown()
        self._stay.close()
        if self._head and not _has_users(self.folder):
            try:
                self._head.wait(_ENDS)
            except subprocess.TimeoutExpired:
                self._head.terminate()

    def nodes(self) -> Sequence[Mapping[str, float]]:
        """Resources of each node that is there."""
        import ray

        return [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def available(self) -> Mapping[str, float]:
        """What is free in all, by Ray's count."""
        import ray

        found: Mapping[str, float] = ray.available_resources()
        return found

    def _join(self, address: str) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # log_to_driver leaves what it says of workers that died, over whatever stands on the screen: skip all lines.
        os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
        import ray

        if ray.is_initialized():
            return
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            with _signals_kept():
                ray.init(address, **options)
        except (ConnectionError, RuntimeError, ValueError, AssertionError) as error:
            said = str(error).strip().splitlines()
            truth = f"Ray does not answer there: {said[0] if said else type(error).__name__}"
            raise UserError(Fault(f"launcher.address={address}", truth, _remedy(error))) from None


def _require_answer(address: str) -> None:
    # Ray would look for two minutes.
    host, _, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not port.isdigit():
        return  # auto, which it looks up itself
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS).close()
    except OSError as error:
        truth = f"nobody answers there: {error.strerror or error}."
        raise UserError(Fault(f"launcher.address={address}", truth, _SEE)) from None


def _remedy(error: Exception) -> str:
    cause: BaseException | None = error
    while cause:
        if "auth" in f"{type(cause).__name__} {cause}".lower():
            return "It asks for a token: put its token into ~/.ray/auth_token, and  export RAY_AUTH_MODE=token"
        cause = cause.__cause__ or cause.__context__
    return _SEE


@contextmanager
def _signals_kept() -> Iterator[None]:
    # Ray takes SIGTERM for itself, which would end a driver without a word.
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _has_users(folder: Path | None) -> bool:
    return folder is not None and (folder / ray_head.USERS).exists() and not ray_head.nobody_uses(folder)
