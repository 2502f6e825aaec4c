"""W&B's own process below a run's: whether it lives, gets on, has anything left to do; how to be done with it."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import psutil

_NAME = "wandb-core"


def services() -> list[psutil.Process]:
    """wandb's own processes below this one, that live."""
    with suppress(psutil.Error):
        children = [child for child in psutil.Process().children() if child.name() == _NAME]
        return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return []


def is_frozen() -> bool:
    """Whether one of them was stopped by a signal."""
    with suppress(psutil.Error):
        return any(service.status() == psutil.STATUS_STOPPED for service in services())
    return False


def is_idle() -> bool:
    """Whether none of their threads works, waits for a processor or for a disk; False where the system does not say."""
    try:
        states = [
            file.read_text().rpartition(")")[2].split()[0]
            for service in services()
            for file in Path(f"/proc/{service.pid}/task").glob("*/stat")
        ]
    except (OSError, psutil.Error):  # a thread that has ended meanwhile: look again
        return False
    return Path("/proc/self/task").is_dir() and not {"R", "D"}.intersection(states)


def let_go(seconds: float, *, by_force: bool) -> None:
    """Be done with one that failed: when Python exits, wandb would wait for it without a limit, or complain.

    Args:
        seconds: that this may take.
        by_force: whether it is killed.
    """
    for service in services() if by_force else ():
        with suppress(psutil.Error):
            service.kill()
    if by_force or not services():
        thread = Thread(target=_tear_down, name="wandb-end", daemon=True)
        thread.start()
        thread.join(seconds)


def _tear_down() -> None:
    with suppress(BaseException):
        sys.modules["wandb"].teardown()
