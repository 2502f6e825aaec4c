"""A part from outside of Espalier: a callback that kills its own process at a step."""

from __future__ import annotations

import os
import signal
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
