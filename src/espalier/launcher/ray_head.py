"""``python -m espalier.launcher.ray_head DIR``: a Ray cluster on this machine, for as long as anybody uses it.

It is no part of the driver: trials go on when the driver is killed, and another one finds them there. Who uses it holds
a file; the kernel lets go of that when a process ends, however it ends. Only this user can talk to it: it listens on
this machine alone, and asks for a token that stands in its folder.

users        held by the driver and by each worker that has a trial
token        what Ray asks everybody for
head.json    once it is up: its address
log.txt      what it says when it does not come up
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from espalier.core.errors import RunFailedError
from espalier.core.files import write_json

USERS, _TOKEN, _HEAD, _LOG = "users", "token", "head.json", "log.txt"
_STORE = 128 * 2**20  # bytes of shared memory; trials hand nothing over by it
_LOOK = 0.5
_UP = 120.0  # seconds that it may take to come up
_LONGEST = 40  # characters of a folder's path: Ray's sockets below it have 107 in all


@contextmanager
def using(users: Path) -> Iterator[None]:
    """Keep the cluster up."""
    with users.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def environment_for(folder: Path) -> dict[str, str]:
    """Variables by which Ray finds its token, and stays on this machine; to be set before it is imported."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / _TOKEN),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # its way to say: 127.0.0.1, whatever the system
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def new_folder() -> Path:
    """For a cluster: private, and short."""
    place = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="espalier-ray-", dir=place if len(place) <= _LONGEST else "/tmp"))
    (folder / _TOKEN).write_text(secrets.token_hex(32))
    (folder / USERS).touch()
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Begin to start it, in the background."""
    with (folder / _LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "espalier.launcher.ray_head", str(folder)],
            env={**os.environ, **environment_for(folder), "RAY_TMPDIR": str(folder), "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def address_of(folder: Path) -> str | None:
    """Where it is; None while it is not up."""
    try:
        return str(json.loads((folder / _HEAD).read_text())["address"])
    except FileNotFoundError:
        return None


def wait_for(folder: Path, head: subprocess.Popen[bytes]) -> str:
    """Its address, as soon as it is up.

    Raises:
        RunFailedError: it did not come up.
    """
    until = time.monotonic() + _UP
    while time.monotonic() < until and head.poll() is None:
        if address := address_of(folder):
            return address
        time.sleep(0.05)
    head.terminate()
    said = (folder / _LOG).read_text(errors="replace").strip().splitlines() if folder.is_dir() else []
    raise RunFailedError("\n".join(["Ray did not start on this machine.", *said[-10:]]))


def main(folder: Path) -> None:
    """Keep a cluster up while ``users`` is held; then end it, and remove the folder."""
    import ray

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ray.init(include_dashboard=False, log_to_driver=False, object_store_memory=_STORE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        write_json(folder / _HEAD, {"address": ray.get_runtime_context().gcs_address, "pid": os.getpid()})
        with (folder / USERS).open("ab") as file:
            while not _nobody(file.fileno()):
                time.sleep(_LOOK)
            (folder / _HEAD).unlink()  # who comes now waits for the file above, and finds nobody here
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def nobody_uses(folder: Path) -> bool:
    """Whether a cluster could end."""
    with (folder / USERS).open("ab") as file:
        return _nobody(file.fileno())


def _nobody(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
