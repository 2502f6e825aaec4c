"""``python -m espalier.run.confined MODULE …``: a process for what nobody vouches for. It leaves the network first.

The module then confines itself once it has what it needs: one file to write, little memory and time, no code. Limits of
the kernel hold whatever runs; the audit hook (PEP 578) tells by name what was tried, and ends it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from espalier.core.errors import EspalierError

_NEW_USER, _NEW_NETWORK, _NO_NEW_PRIVILEGES = 0x10000000, 0x40000000, 38  # linux/sched.h, linux/prctl.h
# Reading a file of tensors needs none of these; what code would begin with is among them.
_ACTS = (
    "ctypes.", "exec", "import", "os.", "pickle.find_class", "pty.", "shutil.", "signal.", "socket.", "subprocess.",
    "sqlite3.", "tempfile.", "urllib.", "webbrowser.",
)  # fmt: skip


def main() -> None:
    """Run a module as Python's ``-m`` does, without a network."""
    leave_network()  # of this thread and those that it begins
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


class ConfinedError(EspalierError):
    """What was read tried to do something else than to be read."""


def leave_network() -> bool:
    """Go into a network of this process's own, which leads nowhere; before any thread begins.

    Returns:
        Whether the kernel let it: on Linux, as root or where users may make namespaces. The audit hook holds anyway.
    """
    if not sys.platform.startswith("linux"):
        return False
    kernel = ctypes.CDLL(None)
    kernel.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if kernel.unshare(_NEW_NETWORK) == 0:
        return True
    user = os.getuid()
    if kernel.unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    with suppress(OSError):
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    return True


@contextmanager
def confined(*, memory: int, seconds: int, writes: int) -> Iterator[Confinement]:
    """Confine this process from here to its end, once everything that it needs is imported and open.

    Args:
        memory: bytes of address space that it may take beside what it has.
        seconds: of processor time beside what it took.
        writes: the longest file that it may write, in bytes.

    Raises:
        ConfinedError: within, at whatever acts.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    limits = {
        resource.RLIMIT_AS: _address_space() + memory,
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime) + 1 + seconds,
        resource.RLIMIT_FSIZE: writes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with suppress(ValueError, OSError):  # a stricter one holds already; macOS has no limit of addresses
            resource.setrlimit(kind, (limit, limit))
    confinement = Confinement()
    sys.addaudithook(confinement)
    try:
        yield confinement
    finally:
        confinement.armed = False


class Confinement:
    """The hook. ``let_write_one`` opens the only door there is."""

    def __init__(self) -> None:
        self.armed = True
        first = os.dup(0)  # the lowest descriptor that is free
        os.close(first)
        self._files = first
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (first, min(first + 1, hard)))

    def let_write_one(self) -> None:
        """One file more may be open from now on: what was read is known to be tensors."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        """As ``sys.addaudithook`` says."""
        if self.armed and (event.startswith(_ACTS) or event in ("open", "compile")):
            raise ConfinedError(f"tried to {event} ({', '.join(str(value)[:60] for value in given[:1])})")


def _address_space() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
