"""Trials of tests, and waiting for them with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from espalier.core.launching import Job

Jobs = Callable[..., Job]  # what the fixture ``job`` is
Program = Callable[[str, str], None]  # and ``program``
T = TypeVar("T")


def wait(ask: Callable[[], T | None], seconds: float = 60.0) -> T:
    """The first answer that is one."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.01)
    raise TimeoutError(f"nothing came of {ask} in {seconds:.0f} s")


def wait_for(file: Path) -> None:
    """Until a file is there."""
    wait(lambda: file.exists() or None)
