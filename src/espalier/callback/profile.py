"""``callback/profile``: where a step's time goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge
from torch.profiler import ProfilerActivity, profile

from espalier.core.files import write_atomic
from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks


@without_idle_hooks
class Profile(pl.Callback):
    """Watches some optimizer steps by torch's profiler, prints the costliest operations, and ends the training.

    ``espalier train debug=profile``. Written into the run directory: ``profile/table.txt``, what is printed, longer;
    ``profile/trace.json``, every operation on a time line.

    Args:
        after: steps before the first that is watched: what comes up once (caches, kernels) is no part of a usual step.
        steps: that are watched.
        rows: operations that are printed.

    Attributes:
        ended: why training ended, for people.
    """

    def __init__(
        self,
        run: RunInfo,
        /,
        *,
        after: Annotated[int, Ge(1)],
        steps: Annotated[int, Ge(1)],
        rows: Annotated[int, Ge(1)],
    ) -> None:
        self.folder, self.after, self.steps, self.rows = run.directory / "profile", after, steps, rows
        self.ended = ""
        self._profiler: profile | None = None
        self._done = 0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Begin after the first steps, end after those that are watched."""
        if trainer.fit_loop._should_accumulate():
            return
        self._done += 1
        if self._done == self.after:
            self._profiler = profile(activities=_activities())
            with _silence():
                self._profiler.start()
        elif self._profiler and self._done == self.after + self.steps:
            self._end(trainer)
            self.ended = f"{self.steps} steps were profiled"
            trainer.should_stop = True

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """A run shorter than that tells what it saw."""
        if self._done > self.after:
            self._end(trainer)
            return
        self._let_go()
        if trainer.is_global_zero:
            print(f"nothing was profiled: the run had {self._done} steps, and callback.profile.after={self.after}")

    def on_exception(self, *_: Any) -> None:
        """Let go of the profiler."""
        self._let_go()

    def _let_go(self) -> None:
        if self._profiler:
            with _silence():
                self._profiler.stop()
            self._profiler = None

    def _end(self, trainer: pl.Trainer) -> None:
        profiler = self._profiler
        self._let_go()
        if profiler and trainer.is_global_zero:
            self._tell(profiler, self._done - self.after)

    def _tell(self, profiler: profile, watched: int) -> None:
        order = "self_device_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
        averages = profiler.key_averages()
        self.folder.mkdir(exist_ok=True)
        write_atomic(self.folder / "table.txt", averages.table(sort_by=order, row_limit=-1))
        profiler.export_chrome_trace(str(self.folder / "trace.json"))
        print(averages.table(sort_by=order, row_limit=self.rows, max_name_column_width=48))
        place = os.path.relpath(self.folder)
        print(f"{watched} steps, by an operation's own time; all of them in {place}/table.txt")
        print(f"on a time line: open {place}/trace.json at https://ui.perfetto.dev or chrome://tracing")


@contextmanager
def _silence() -> Iterator[None]:
    """The profiler's library tells the process's stderr that it starts and stops, whatever its log level is."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _activities() -> list[ProfilerActivity]:
    here = [ProfilerActivity.CPU]
    return [*here, ProfilerActivity.CUDA] if torch.cuda.is_available() else here
