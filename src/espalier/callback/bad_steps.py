"""``callback/bad_steps``: steps that would do harm change nothing."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge, Gt
from torch import Tensor
from torch.nn.utils import get_total_norm

from espalier.core.errors import RunFailedError
from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.ranks import any_rank, gather_objects

_FIRST = 8  # losses that a median needs to tell a spike
_NAMED = 12  # rows that are named


@without_idle_hooks
class BadSteps(pl.Callback):
    """Skips the update of a step whose loss or gradients are not finite, or whose loss is a spike; says which rows.

    ``espalier train callback=[checkpoint,early_stopping,throughput,progress,bad_steps] callback.bad_steps.most=3``

    A skipped step counts as one, and schedules go on; weights and the optimizer's averages stay what they were. It
    is logged as ``bad_steps``, how many there were so far. It reads the loss at each step, for which a GPU is waited.

    Args:
        factor: a loss above so many times the median of the last ones is a spike; None: only what is not finite.
        window: how many losses that median is of.
        most: so many are skipped; one more ends the run.
    """

    def __init__(
        self,
        _run: RunInfo,
        /,
        *,
        factor: Annotated[float, Gt(1)] | None,
        window: Annotated[int, Ge(8)],
        most: Annotated[int, Ge(0)],
    ) -> None:
        self.factor, self.most = factor, most
        self.skipped = 0
        self._losses: deque[float] = deque(maxlen=window)
        self._loss: Tensor | None = None
        self._rows: list[Tensor] = []
        self._said = ""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on with."""
        return {"skipped": self.skipped, "losses": list(self._losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse."""
        self.skipped = state_dict["skipped"]
        self._losses.extend(state_dict["losses"])

    def on_train_batch_start(self, _: pl.Trainer, __: pl.LightningModule, batch: Any, ___: int) -> None:
        """Remember the rows of the step's micro-batches."""
        self._rows.append(batch["row"])

    def on_before_backward(self, _: pl.Trainer, __: pl.LightningModule, loss: Tensor) -> None:
        """Add up the loss of the step's micro-batches."""
        self._loss = loss.detach() if self._loss is None else self._loss + loss.detach()

    def on_before_optimizer_step(self, trainer: pl.Trainer, _: Any, optimizer: torch.optim.Optimizer) -> None:
        """Take the gradients away where the step is bad: parameters without one are passed over.

        Raises:
            RunFailedError: there were too many.
        """
        learning = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        loss = math.nan if self._loss is None else float(trainer.strategy.reduce(self._loss, reduce_op="mean"))
        # With a loss scaler, gradients that are not finite belong to finding its scale, and it skips them itself.
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        norm = 0.0 if scaled else float(get_total_norm([p.grad for p in learning if p.grad is not None]))
        why = self._judged(loss, norm)
        if not any_rank(bool(why)):
            self._losses.append(loss)
            return
        self.skipped += 1
        rows = sorted({int(row) for part in gather_objects(torch.cat(self._rows).tolist()) for row in part if row >= 0})
        self._said = f"step {trainer.global_step + 1}: {why or 'bad on another rank'}; {_named(rows)}"
        for parameter in learning:
            parameter.grad = None
        if self.skipped > self.most:
            remedy = "Look at these rows, lower optimizer.lr, or raise callback.bad_steps.most."
            raise RunFailedError(f"{self.skipped} bad steps, the last of them {self._said}. {remedy}")

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tell of a step that was skipped; begin the next one."""
        if trainer.fit_loop._should_accumulate():
            return
        self._loss, self._rows = None, []
        if self._said:
            for logger in trainer.loggers:
                logger.log_metrics({"bad_steps": self.skipped}, trainer.global_step)
            if trainer.is_global_zero:
                print(f"skipped {self._said}", flush=True)
            self._said = ""

    def _judged(self, loss: float, norm: float) -> str:
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(norm):
            return f"the norm of its gradients is {norm}"
        if self.factor is None or len(self._losses) < _FIRST:
            return ""
        usual = median(self._losses)
        if loss > self.factor * usual > 0:
            return f"the loss is {loss:.4g}, {loss / usual:.1f} times the usual {usual:.4g}"
        return ""


def _named(rows: list[int]) -> str:
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"rows {', '.join(map(str, rows[:_NAMED]))}{more}"
