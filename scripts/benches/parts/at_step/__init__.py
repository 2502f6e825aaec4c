"""Parts from outside of Espalier: callbacks that kill their own process at a step, and that say when the first is."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import pytorch_lightning as pl
from annotated_types import Ge
from pytorch_lightning.trainer.states import TrainerFn

from espalier.core.parts import RunInfo

_WRITES = ("open", "os.rename", "os.link", "os.remove", "os.rmdir", "shutil.rmtree")  # as Python's audit names them


class Kill(pl.Callback):
    """A signal to oneself, once in a run directory's life, by every rank. ``moments.0.json`` says how many there were.

    Args:
        where: ``batch`` is a training micro-batch that ends, ``validation`` and ``test`` one of theirs, ``saving`` a
            file or folder below ``checkpoints/`` that is about to be opened, renamed, linked or removed.
        after: such moments from this process's start; 0: never.
        signal: ``SIGKILL``, ``SIGTERM``, …
    """

    def __init__(
        self,
        run: RunInfo,
        /,
        *,
        where: Literal["batch", "validation", "saving", "test"],
        after: Annotated[int, Ge(0)],
        signal: str,
    ) -> None:
        rank = os.environ.get("LOCAL_RANK", "0")
        self.marker, self.told = run.directory / f"killed.{rank}", run.directory / f"moments.{rank}.json"
        self.where, self.after, self.signal = where, after, signal
        self.seen: Counter[str] = Counter()
        self.checkpoints = str(run.directory / "checkpoints")
        sys.addaudithook(self._look)

    def on_train_batch_end(self, *_: Any) -> None:
        self._count("batch")

    def on_validation_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.state.fn == TrainerFn.FITTING:
            self._count("validation")

    def on_test_batch_end(self, *_: Any) -> None:
        self._count("test")

    def teardown(self, *_: Any, **__: Any) -> None:
        self.told.write_text(json.dumps(self.seen))

    def _look(self, event: str, about: tuple[Any, ...]) -> None:
        if event not in _WRITES or not str(about[0]).startswith(self.checkpoints):
            return
        if event != "open" or "w" in str(about[1]):
            self._count("saving")

    def _count(self, where: str) -> None:
        self.seen[where] += 1
        if where == self.where and self.seen[where] == self.after and not self.marker.exists():
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
