"""Signals end a run between two optimizer steps, with a checkpoint: SIGTERM, SIGINT (once more: at once), SIGUSR1."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Self

import pytorch_lightning as pl
from pytorch_lightning.trainer.connectors.signal_connector import _SignalConnector

from espalier.core.errors import InterruptedRunError
from espalier.core.world import is_first
from espalier.state.boundary import AtBoundary, save
from espalier.state.ranks import highest
from espalier.state.store import Store

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Halted(BaseException):
    """A signal came before anything was begun. No ``Exception``: nobody on its way may take it for one of his own."""


class Stop(AtBoundary):
    """A callback, always on, that is also the context in which it listens.

        with Stop(directory) as stop:
            trainer = pl.Trainer(callbacks=[..., stop])
            trainer.fit(...)                                # raises InterruptedRunError

    A signal that comes on any rank ends all ranks at the same step; one that comes in an epoch's last validation is
    obeyed after it. In a test there is nothing to save: it ends at the next batch. Until ``begun`` there is nothing
    either: the work is left wherever it is, and the context raises ``InterruptedRunError``.

    Args:
        directory: the run directory.
    """

    order: ClassVar[int] = 1  # after the callback that saves and marks the best

    def __init__(self, directory: Path, /) -> None:
        self.store = Store(directory / "checkpoints")
        self.heard = 0  # the signal's number
        self.begun = False  # to leave something: by the run, or by a trainer
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._process = os.getpid()
        self._before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if isinstance(error, Halted):
            raise InterruptedRunError(signal.Signals(self.heard).name) from None

    def setup(self, trainer: pl.Trainer, *_: Any, **__: Any) -> None:
        """Keep Lightning's handlers off: they save and broadcast inside of the signal, in the middle of a step."""
        super().setup(trainer)
        self.begun = True
        trainer._signal_connector = _NoHandlers(trainer)

    def at_boundary(self, trainer: pl.Trainer, **_: Any) -> None:
        """Obey.

        Raises:
            InterruptedRunError: a signal came; the step is saved.
        """
        if number := highest(self.heard):
            save(trainer, self.store)
            raise InterruptedRunError(signal.Signals(number).name)

    def on_test_batch_start(self, *_: Any) -> None:
        """Obey, each rank for itself: ranks may have different numbers of batches.

        Raises:
            InterruptedRunError: a signal came.
        """
        if self.heard:
            raise InterruptedRunError(signal.Signals(self.heard).name)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if os.getpid() != self._process:
            return  # a worker forked from this process: its parent decides
        self.heard = number
        if not self.begun:
            raise Halted
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # the next one works even while python waits for another rank
            if is_first():
                with suppress(OSError):  # who reads it (``| tee``) may have ended by the same key
                    os.write(2, b"\nstopping after this step, with a checkpoint; once more ends at once\n")


class _NoHandlers(_SignalConnector):
    def register_signal_handlers(self) -> None:
        """None."""

    def teardown(self) -> None:
        """Nothing to put back."""
