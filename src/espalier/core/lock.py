"""One writer for a run directory: a lock that the kernel lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from espalier.core.errors import Fault, UserError

_NAME = "lock"


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a run directory.

    Raises:
        UserError: another process does.
    """
    with (directory / _NAME).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(Fault(str(directory), "is in another process' hands.", "Wait for it, or end it.")) from None
        except OSError:  # a file system without locks: nobody can be kept out
            pass
        yield


def is_held(directory: Path) -> bool:
    """Whether some process holds it, on this host or on another that shares the file system."""
    try:
        with held(directory):
            return False
    except UserError:
        return True
    except OSError:
        return False
