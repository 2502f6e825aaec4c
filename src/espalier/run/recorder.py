"""Metrics on their way: into ``metrics.jsonl``, which holds all of them, and from there to the trackers."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers.logger import Logger
from torch import Tensor

from espalier.core.masking import masked_text
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo, Tracker
from espalier.core.rundir import typed
from espalier.state.boundary import is_last_step
from espalier.state.idle_hooks import without_idle_hooks


class Recorder(Logger):
    """Lightning's logger of the run, on the first rank; what a task logs by ``self.log`` arrives here too.

    Args:
        file: the truth.
        trackers: sinks.
    """

    def __init__(self, file: MetricsFile, trackers: Sequence[Tracker]) -> None:
        super().__init__()
        self.file, self.trackers = file, trackers
        self.trainer: pl.Trainer | None = None
        self.closed = False
        self._told = False

    @property
    def name(self) -> str:
        """Lightning asks for one."""
        return "espalier"

    @property
    def version(self) -> str:
        """Lightning asks for one."""
        return ""

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Nothing: the whole config is in the run directory."""

    def close(self) -> None:
        """What comes after training (the test) is no part of the history."""
        self.closed = True
        self.file.close()

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """One line, under the number of optimizer steps done (Lightning's own lags behind while it validates)."""
        if self.trainer is None or self.closed:
            return
        done = self.trainer.global_step
        values = {name: float(value) for name, value in metrics.items() if name not in ("epoch", "step")}
        self.file.log(values, done, self.trainer.current_epoch)
        if self.file.trouble and not self._told:
            said = f"metrics.jsonl cannot be written: {self.file.trouble}. Its lines wait, and the run goes on"
            print(said, file=sys.stderr, flush=True)
            self._told = True
        for tracker in self.trackers:
            tracker.log({**values, "epoch": self.trainer.current_epoch + 1}, done)  # people count from 1


class Guarded:
    """A tracker whose failure is told once and never reaches the run. Satisfies ``core.parts.Tracker``."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker, self.broken = tracker, ""
        self._directory: Path | None = None

    def start(self, run: RunInfo, /) -> str:
        """What the tracker says, or what went wrong."""
        self._directory = run.directory
        return self._ask(lambda: self.tracker.start(run)) or self.broken

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Hand on, as long as it works."""
        self._ask(lambda: self.tracker.log(metrics, step))

    def attach(self, page: Callable[[bool], str]) -> None:
        """Hand on the run's report where it is wanted; ``page`` makes it, with the data's own texts or without."""
        if take := getattr(self.tracker, "attach", None):
            self._ask(lambda: take(page(getattr(self.tracker, "texts", False))))

    def finish(self, outcome: Outcome, /) -> str:
        """What the tracker says, or what went wrong."""
        return self._ask(lambda: self.tracker.finish(outcome)) or self.broken

    def _ask(self, what: Callable[[], str | None]) -> str:
        if self.broken:
            return ""
        try:
            return what() or ""
        except Exception as error:
            name = type(self.tracker).__name__
            said = masked_text(f"{name} failed ({type(error).__name__}: {error})")
            self.broken = f"{said}; metrics.jsonl has everything{self._again()}"
            return ""

    def _again(self) -> str:
        """What tells it to one of our own trackers later."""
        room, _, option = type(self.tracker).__module__.rpartition(".")
        if room != "espalier.tracking" or not self._directory:
            return ""
        return f", and sends it:  {typed('track', self._directory)} --to {option}"


@without_idle_hooks
class StepLog(pl.Callback):
    """Logs ``train/loss`` and ``lr`` at the first step, every so many, and at the last; some microseconds a step else.

    ``train/loss`` is the mean over the step's global batch, all micro-batches and ranks.
    """

    def __init__(self, every_n_steps: int, recorder: Recorder | None) -> None:
        self.every, self.recorder = every_n_steps, recorder
        self._sum: Tensor | None = None
        self._rate = 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """The rate of the step that begins: schedules step at its end, or after the validation that follows."""
        if self._sum is None:
            self._rate = _rate(trainer)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Add up micro-batches; log where a step that is due ends."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if not isinstance(loss, Tensor):
            return
        self._sum = loss if self._sum is None else self._sum + loss
        if trainer.fit_loop._should_accumulate():
            return
        whole, self._sum = self._sum, None
        if trainer.global_step % self.every and trainer.global_step != 1 and not is_last_step(trainer):
            return
        if trainer.world_size > 1:
            whole = trainer.strategy.reduce(whole, reduce_op="mean")
        if self.recorder is not None:
            self.recorder.log_metrics({"train/loss": whole.item(), "lr": self._rate})


def _rate(trainer: pl.Trainer) -> float:
    """The first optimizer's, its highest group's: that of the head where layers below learn more slowly."""
    return max(float(group["lr"]) for group in trainer.optimizers[0].param_groups) if trainer.optimizers else 0.0
