"""A part from outside of Espalier: lets the real wandb fail, or its process, while a run trains."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import Any, Literal

import psutil
import pytorch_lightning as pl

from espalier.core.parts import RunInfo

_BYTES = 4096  # that wandb's process may write to a file, where its disk is full


class WandbFails(pl.Callback):
    """After some steps: ``raise`` or ``slow`` (30 s) at each call from then on; ``kill``, ``freeze``, ``full`` at once.

    Args:
        how: what happens; ``none``: nothing.
        after: optimizer steps.
    """

    def __init__(
        self,
        run: RunInfo,  # noqa: ARG002
        /,
        *,
        how: Literal["none", "raise", "slow", "kill", "freeze", "full"],
        after: int,
    ) -> None:
        self.how, self.after, self.done = how, after, how == "none"

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Once."""
        if self.done or trainer.global_step < self.after:
            return
        self.done = True
        if self.how in ("raise", "slow"):
            _calls(self.how)
            return
        services = [child for child in psutil.Process().children(recursive=True) if child.name() == "wandb-core"]
        assert services, "wandb has no process of its own"
        for service in services:
            with suppress(psutil.Error):
                _break(service, self.how)


def _break(service: psutil.Process, how: str) -> None:
    if how == "full":
        service.rlimit(psutil.RLIMIT_FSIZE, (_BYTES, _BYTES))
    else:
        service.send_signal(signal.SIGKILL if how == "kill" else signal.SIGSTOP)


def _calls(how: str) -> None:
    import wandb

    def log(*_: Any, **__: Any) -> None:
        if how == "slow":
            time.sleep(30)
        raise ConnectionError("a call that fails")

    wandb.Run.log = log
