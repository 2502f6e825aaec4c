"""The moment between two optimizer steps, at which alone a run may be saved or stopped: a hook that Lightning lacks.

Lightning's own hooks lie inside of a step. At ``on_train_batch_end`` the step's metrics are not logged yet and a
validation that is due has not run; at ``on_train_epoch_end`` the epoch's metrics are not logged and schedules that step
by the epoch have not stepped. A checkpoint made there repeats or leaves out something after a resume. ``AtBoundary``
callbacks are asked where nothing is left over: the step is logged, its validation done, the next batch not fetched.

A run's last step is validated wherever in an epoch it falls (Lightning leaves it out where ``max_steps`` ends a run).
What Lightning 2.6 gets wrong on a resume is mended here too:
- with ``max_steps`` set, a checkpoint of an epoch's end ends that epoch a second time;
- after a validation within an epoch, the resumed run counts a step twice in its logs;
- in an epoch resumed in its middle, plateau schedules that step by the epoch are left out;
- an iterator made before the resume's random state is back takes other random numbers than the undisturbed run's.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.loops.fit_loop import _FitLoop
from pytorch_lightning.loops.loop import _Loop
from pytorch_lightning.loops.training_epoch_loop import _TrainingEpochLoop

from espalier.state.finite import not_finite
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.lightning_io import FolderCheckpointIO
from espalier.state.ranks import gather_objects
from espalier.state.store import Store


class AtBoundary(Checkpoint):
    """A callback that is asked between optimizer steps, on all ranks at the same step.

    It counts as a checkpoint callback, so that Lightning keeps it behind all others and adds no ModelCheckpoint.

    Attributes:
        order: lower ones are asked first at a boundary.
    """

    order: ClassVar[int] = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        without_idle_hooks(cls)

    def setup(self, trainer: pl.Trainer, *_: Any, **__: Any) -> None:
        """Give the trainer's loops the boundary."""
        _teach(trainer)

    def before_training(self, trainer: pl.Trainer) -> None:
        """Asked once in a fit, after every hook of its start and before whatever follows a boundary."""

    def at_boundary(self, trainer: pl.Trainer, *, epoch_end: bool) -> None:
        """Asked after each optimizer step; after an epoch's last one when its validation is done (``epoch_end``)."""


def save(trainer: pl.Trainer, store: Store) -> bool:
    """Save the step that was just done, unless it is saved; on all ranks, at a boundary.

    Weights that are not finite are never saved: the run would go on from them, or call them its best.

    Returns:
        Whether it is on the disk, as the first rank knows, which also tells why not.
    """
    loop: Any = trainer.fit_loop
    writer = trainer.strategy.checkpoint_io
    assert isinstance(writer, FolderCheckpointIO)
    if loop.saved_step != trainer.global_step:
        loop.saved_step = trainer.global_step
        if wrong := next(filter(None, gather_objects(not_finite(trainer))), ""):
            if trainer.is_global_zero:
                writer.leave_out(trainer.global_step, f"{wrong} is not finite")
            return False
        trainer.save_checkpoint(store.path_of(trainer.global_step))
        if trainer.is_global_zero and not writer.trouble:
            store.tidy(trainer.global_step)
    return not writer.trouble


def is_last_step(trainer: pl.Trainer) -> bool:
    """Whether the optimizer step that is done, whose epoch is not closed yet, is known to be the run's last."""
    loop: Any = trainer.fit_loop
    if trainer.should_stop or 0 <= loop.max_steps <= trainer.global_step:
        return True
    ends_epoch = loop.epoch_loop._num_ready_batches_reached()
    return bool(ends_epoch and 0 <= loop.max_epochs <= loop.epoch_progress.current.processed + 1)


def is_over(trainer: pl.Trainer) -> bool:
    """Whether nothing is left to train, where an epoch is closed or not begun."""
    loop: Any = trainer.fit_loop
    if trainer.should_stop or 0 <= loop.max_steps <= trainer.global_step:
        return True
    return bool(0 <= loop.max_epochs <= loop.epoch_progress.current.processed)


class _BoundaryFitLoop(_FitLoop):
    callbacks: tuple[AtBoundary, ...]
    saved_step: int
    begun: bool

    def run(self) -> None:
        found = (callback for callback in _callbacks(self.trainer) if isinstance(callback, AtBoundary))
        self.callbacks = tuple(sorted(found, key=lambda callback: callback.order))
        self.saved_step = self.trainer.global_step if self.is_resuming else -1
        epochs: Any = self.epoch_progress.current
        if epochs.ready == epochs.processed:
            # Between epochs nothing is half done: what follows is an epoch like any other, with an iterator of its own.
            _set_restarting(self, False)
            self._resuming_from_checkpoint = False
        self.begun = False
        super().run()
        self._begin()  # where there was nothing left to train

    def on_run_start(self) -> None:
        super().on_run_start()
        self._begin()

    def on_advance_end(self) -> None:
        super().on_advance_end()
        for callback in self.callbacks:
            callback.at_boundary(self.trainer, epoch_end=True)

    def _begin(self) -> None:
        for callback in () if self.begun else self.callbacks:
            callback.before_training(self.trainer)
        self.begun = True


class _BoundaryEpochLoop(_TrainingEpochLoop):
    def on_run_start(self, data_fetcher: Any) -> None:
        super().on_run_start(data_fetcher)
        _set_restarting(self.trainer.fit_loop, False)  # the place is found; nothing of the step before is left to do

    def on_advance_end(self, data_fetcher: Any) -> None:
        super().on_advance_end(data_fetcher)
        if self._should_accumulate() or self._is_training_done or self.trainer.should_stop:
            return
        loop: Any = self.trainer.fit_loop
        for callback in loop.callbacks:
            callback.at_boundary(self.trainer, epoch_end=False)

    def _should_check_val_fx(self, data_fetcher: Any) -> bool:
        if super()._should_check_val_fx(data_fetcher):
            return True
        # So that every run has a best, and knows what it ends with.
        return self.trainer.enable_validation and not self._should_accumulate() and is_last_step(self.trainer)

    def _broadcast_sigterm_tensor(self) -> None:
        """Nothing: ranks agree on signals at the boundary (``run.stop``), not before each batch."""


def _teach(trainer: pl.Trainer) -> None:
    """The loops keep their state and gain the boundary."""
    if type(trainer.fit_loop) is _FitLoop:
        trainer.fit_loop.__class__ = _BoundaryFitLoop
        trainer.fit_loop.epoch_loop.__class__ = _BoundaryEpochLoop


def _callbacks(trainer: Any) -> list[pl.Callback]:
    return list(trainer.callbacks)


def _set_restarting(loop: _Loop, restarting: bool) -> None:
    _Loop.restarting.fset(loop, restarting)  # type: ignore[attr-defined]  # past _FitLoop's, which insists with max_steps
