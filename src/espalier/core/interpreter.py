"""How a process that has loaded the libraries ends: at once."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

_LOST = 120  # Python's own, where what was printed could not be written


def leave(code: int) -> NoReturn:
    """End as the interpreter does, but for taking every module apart: of torch and its like that takes a second."""
    with suppress(Exception):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:
                stream.flush()
        except (BrokenPipeError, ValueError):  # nobody reads it, or somebody has closed it
            continue
        except OSError as error:
            code = code or _LOST
            with suppress(OSError):
                os.write(2, f"{stream.name}: {error.strerror}\n".encode())
    os._exit(code & 0xFF)
