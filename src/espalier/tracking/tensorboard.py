"""``tracking=tensorboard``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge

from espalier.core.errors import ConfigError, Fault
from espalier.core.metrics_file import read_metrics
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo


class TensorBoard:
    """Metrics by step in ``tensorboard/`` of the run directory.

    ``espalier train tracking=[wandb,tensorboard]``, then ``tensorboard --logdir outputs`` for all runs.

    After a resume the folder is made anew from ``metrics.jsonl``.

    Args:
        flush_seconds: how long a metric may wait before it is written.

    Raises:
        ConfigError: tensorboard is not installed.
    """

    def __init__(self, *, flush_seconds: Annotated[int, Ge(1)]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError(
                Fault("tracking=tensorboard", "needs tensorboard, which is not installed.",
                      "pip install 'espalier[tensorboard]', or choose another: tracking=csv")
            ) from error  # fmt: skip
        self._make = SummaryWriter
        self._flush = flush_seconds

    def start(self, run: RunInfo, /) -> str:
        """Begin, or go on after a resume; ``metrics.jsonl`` is cut back to the checkpoint by now."""
        self._folder = run.directory / "tensorboard"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._writer: Any = self._make(str(self._folder), flush_secs=self._flush)
        for line in read_metrics(run.directory / "metrics.jsonl"):
            self.log({**line, "epoch": line["epoch"] + 1}, line["step"])
        return ""

    def log(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Metrics of one optimizer step."""
        for name, value in metrics.items():
            if name != "step":
                self._writer.add_scalar(name, value, step)

    def finish(self, outcome: Outcome, /) -> str:
        """The metrics of the best checkpoint; the end."""
        for name, value in outcome.metrics.items():
            self._writer.add_scalar(f"best/{name}", value, outcome.steps)
        self._writer.close()
        return f"tensorboard --logdir {os.path.relpath(self._folder)}"
