"""Parts from outside of Espalier: callbacks that kill their own process at a step, and that say when the first is."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
from annotated_types import Ge

from espalier.core.parts import RunInfo


class Kill(pl.Callback):
    """A signal to oneself after a micro-batch, once in a run directory's life; every rank does so.

    Args:
        after: micro-batches from the run's start; 0: never.
        signal: ``SIGKILL``, ``SIGTERM``, …
    """

    def __init__(self, run: RunInfo, /, *, after: Annotated[int, Ge(0)], signal: str) -> None:
        self.marker = run.directory / f"killed.{os.environ.get('LOCAL_RANK', 0)}"
        self.after, self.signal, self.seen = after, signal, 0

    def on_train_batch_end(self, *_: Any) -> None:
        self.seen += 1
        if self.seen == self.after and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), getattr(signal, self.signal))


class Mark(pl.Callback):
    """When training is about to begin, and what memory this process and its parent then hold: ``mark.json``."""

    def __init__(self, run: RunInfo, /) -> None:
        self.file = run.directory / "mark.json"

    def on_train_batch_start(self, *_: Any) -> None:
        now = time.time()
        if not self.file.exists():
            held = {name: proportional(pid) for name, pid in (("own", os.getpid()), ("parent", os.getppid()))}
            self.file.write_text(json.dumps({"at": now, **held}))


def proportional(pid: int) -> int:
    """Bytes that a process holds, what it shares with n others counted by an n-th."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
