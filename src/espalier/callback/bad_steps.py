"""``callback/bad_steps``: steps that would do harm change nothing."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Ge, Gt
from torch import Tensor
from torch.distributed.tensor import DTensor

from espalier.core.errors import DivergedError
from espalier.core.parts import RunInfo
from espalier.core.rundir import shown
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.ranks import any_rank, gather_objects
from espalier.state.store import Store

_FIRST = 8  # losses that a median needs to tell a spike
_NAMED = 12  # rows that are named


@without_idle_hooks
class BadSteps(pl.Callback):
    """Skips the update of a step whose loss or gradients are not finite, or whose loss is a spike; says which rows.

    ``espalier train callback.bad_steps.most=3 callback.bad_steps.factor=10``

    A skipped step counts as one, and schedules go on; weights and the optimizer's averages stay what they were. It
    is logged as ``bad_steps``, how many there were so far. At each step a GPU is waited for once.

    Args:
        factor: a loss above so many times the median of the last ones is a spike; None: only what is not finite.
        window: how many losses that median is of.
        most: so many are skipped; one more ends the run.
    """

    def __init__(
        self,
        run: RunInfo,
        /,
        *,
        factor: Annotated[float, Gt(1)] | None,
        window: Annotated[int, Ge(8)],
        most: Annotated[int, Ge(0)],
    ) -> None:
        self.store = Store(run.directory / "checkpoints")
        self.factor, self.most = factor, most
        self.skipped = 0
        self._losses: deque[float] = deque(maxlen=window)
        self._loss: Tensor | None = None
        self._batches: list[Any] = []
        self._said = ""

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on with."""
        return {"skipped": self.skipped, "losses": list(self._losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The reverse."""
        self.skipped = state_dict["skipped"]
        self._losses.extend(state_dict["losses"])

    def on_train_batch_start(self, _: pl.Trainer, __: pl.LightningModule, batch: Any, ___: int) -> None:
        """Remember the step's micro-batches."""
        self._batches.append(batch)

    def on_before_backward(self, trainer: pl.Trainer, _: pl.LightningModule, loss: Tensor) -> None:
        """Add up the loss of the step's micro-batches; a loss scaler has multiplied it by now."""
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        loss = loss.detach() / scaler.get_scale() if scaler else loss.detach()
        self._loss = loss if self._loss is None else self._loss + loss

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Take the gradients away where the step is bad: parameters without one are passed over.

        Raises:
            DivergedError: there were too many.
        """
        learning = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        # With a loss scaler, gradients that are not finite belong to finding its scale, and it skips them itself.
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        gradients = [] if scaled else [p.grad for p in learning]
        bad, loss = _looked_at(gradients, self._mean_loss(trainer))
        why = self._judged(loss)
        if bad and not why:
            why = f"the gradient of {_first_bad(pl_module)} is not finite"
        if not any_rank(bool(why)):
            if self.factor is not None:
                self._losses.append(loss)
            return
        self._skip(trainer, why, learning)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Tell of a step that was skipped; begin the next one."""
        if trainer.fit_loop._should_accumulate():
            return
        self._loss = None
        self._batches.clear()
        if self._said:
            for logger in trainer.loggers:
                logger.log_metrics({"bad_steps": self.skipped}, trainer.global_step)
            if trainer.is_global_zero:
                print(f"skipped {self._said}", flush=True)
            self._said = ""

    def _mean_loss(self, trainer: pl.Trainer) -> Tensor | None:
        """A spike is one of all ranks together; a loss that is not finite is told by the rank that has it."""
        if self._loss is None or self.factor is None or trainer.world_size == 1:
            return self._loss
        mean: Tensor = trainer.strategy.reduce(self._loss, reduce_op="mean")
        return mean

    def _judged(self, loss: float) -> str:
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if self.factor is None or len(self._losses) < _FIRST:
            return ""
        usual = median(self._losses)
        if loss > self.factor * usual > 0:
            return f"the loss is {loss:.4g}, {loss / usual:.1f} times the usual {usual:.4g}"
        return ""

    def _skip(self, trainer: pl.Trainer, why: str, learning: Sequence[Tensor]) -> None:
        self.skipped += 1
        mine = [int(row) for batch in self._batches for row in _rows(batch)]
        rows = sorted({row for part in gather_objects(mine) for row in part if row >= 0})
        self._said = f"step {trainer.global_step + 1}: {why or 'bad on another rank'}{_named(rows)}"
        for parameter in learning:
            parameter.grad = None
        if self.skipped <= self.most:
            return
        saved = self.store.newest() if trainer.is_global_zero else None
        good = f" The last good checkpoint: {shown(saved.path)}." if saved else ""
        remedy = "Look at these rows, lower optimizer.lr, or raise callback.bad_steps.most."
        raise DivergedError(f"{self.skipped} bad steps, the last of them {self._said}.{good} {remedy}")


def _looked_at(gradients: Sequence[Tensor], loss: Tensor | None) -> tuple[bool, float]:
    """Whether some gradient is not finite, and the loss (0 where none is known); a GPU is waited for once."""
    flag = _overflow(gradients) if gradients else None
    known = [value for value in (flag, loss) if value is not None]
    if all(value.is_cpu for value in known):
        told = [float(value) for value in known]
    else:
        told = torch.stack([value.to(known[0].device, torch.float32) for value in known]).tolist()
    return flag is not None and bool(told[0]), told[-1] if loss is not None else 0.0


def _overflow(gradients: Sequence[Tensor]) -> Tensor:
    """1 where some gradient is not finite, else 0. In one pass, as loss scalers do: times 1, which changes no bit."""
    device = gradients[0].device
    flag = torch.zeros((), device=device)
    try:
        torch._amp_foreach_non_finite_check_and_unscale_(list(gradients), flag, torch.ones((), device=device))
    except RuntimeError:  # sharded, sparse or complex ones, or of several devices
        return torch.tensor(float(any(not _is_finite(gradient) for gradient in gradients)), device=device)
    return flag


def _is_finite(tensor: Tensor) -> bool:
    part = tensor.to_local() if isinstance(tensor, DTensor) else tensor
    return bool((part._values() if part.is_sparse else part).isfinite().all())


def _first_bad(module: pl.LightningModule) -> str:
    found = (name for name, p in module.named_parameters() if p.grad is not None and not _is_finite(p.grad))
    return next(found, "a parameter")


def _rows(batch: Any) -> Sequence[int]:
    """Numbers of a batch's rows; none of a batch that is made in another way."""
    rows = batch.get("row") if isinstance(batch, Mapping) else None
    return rows.tolist() if isinstance(rows, Tensor) else ()


def _named(rows: Sequence[int]) -> str:
    if not rows:
        return ""
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"; rows {', '.join(map(str, rows[:_NAMED]))}{more}"
