"""One writer for a directory: a lock that the kernel lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from espalier.core.errors import Fault, UserError

_NAME = "lock"
_PROBES = 0.2  # seconds: who only looks whether it is held, holds it for a moment


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a run's or a sweep's directory; in its file ``lock`` stands who does.

    Raises:
        UserError: another process does, which is named; or the directory can't be written in.
    """
    try:
        file = (directory / _NAME).open("a+b")
    except OSError as error:
        truth = f"cannot be written in: {error.strerror}."
        raise UserError(Fault(str(directory), truth, "Put it where you may write.")) from None
    with file:
        _take(file, directory)
        _sign(file, f"process {os.getpid()} on {os.uname().nodename}")
        try:
            yield
        finally:
            _sign(file, "")


def is_held(directory: Path) -> bool:
    """Whether some process holds it, on this host or on another that shares the file system."""
    try:
        with (directory / _NAME).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # nobody ever held it; or a file system without locks
        pass
    return False


def _take(file: BinaryIO, directory: Path) -> None:
    until = time.monotonic() + _PROBES
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise UserError(Fault(str(directory), f"is in {_holder(file)}.", "Wait for it, or end it.")) from None
            time.sleep(_PROBES / 20)
        except OSError:  # a file system without locks: nobody can be kept out
            return
        else:
            return


def _holder(file: BinaryIO) -> str:
    file.seek(0)
    name = file.read().decode(errors="replace").strip()
    return f"another process' hands: {name}" if name else "another process' hands"


def _sign(file: BinaryIO, name: str) -> None:
    with suppress(OSError):  # a full disk: then it is held namelessly
        file.truncate(0)
        file.write(name.encode())
        file.flush()
