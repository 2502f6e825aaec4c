"""The group of processes that a child leads: what is left of it when a signal has ended the child."""

from __future__ import annotations

import os
import signal
from contextlib import suppress


def end_left_behind(child: int, *, wait: bool = False) -> None:
    """Of a child that a signal has ended, and whose end nobody has taken yet: end what is left of its group.

    Its siblings would wait for it in a collective, and keep the device. Until its end is taken, its number is no other
    process'. One that leads no group, or ended by itself, leaves nothing to do.

    Args:
        wait: until it has ended.
    """
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        return
    with suppress(ChildProcessError, ProcessLookupError, PermissionError):
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG))
        if ended and ended.si_code != os.CLD_EXITED and os.getpgid(child) == child:
            os.killpg(child, signal.SIGKILL)
