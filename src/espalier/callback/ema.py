"""``callback/ema``: the weights' running average is what is validated, tested and saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytorch_lightning as pl
import torch
from annotated_types import Gt, Lt
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

from espalier.core.learner_parts import Settles
from espalier.core.parts import RunInfo
from espalier.state.idle_hooks import without_idle_hooks
from espalier.state.sharded import like, local


@without_idle_hooks
class Ema(pl.Callback):
    """Averages what learns, after each optimizer step: ``average = d * average + (1 - d) * weights``.

    ``espalier train callback=[checkpoint,early_stopping,bad_steps,throughput,progress,ema] callback.ema.decay=0.999``
    (Polyak & Juditsky 1992; as in Tarvainen & Valpola 2017, arXiv:1703.01780)

    Validation, the test and ``model/`` have the average; training goes on with the weights. In a checkpoint the average
    stands where a model's weights do, and the weights in this callback's state, so that whoever loads a checkpoint gets
    what was validated, and a resumed run goes on exactly. Buffers (BatchNorm's) are not averaged.

    Args:
        decay: what the average keeps at a step, once it is old: after t steps it keeps (1 + t) / (10 + t) at most, so
            that it forgets the start (as TensorFlow's ``ExponentialMovingAverage``).
    """

    def __init__(self, _run: RunInfo, /, *, decay: Annotated[float, Gt(0), Lt(1)]) -> None:
        self.decay = decay
        self._names: list[str] = []
        self._weights: list[Tensor] = []  # the module's own
        self._average: list[Tensor] = []
        self._steps = 0
        self._settle: list[Callable[[], None]] = []  # parts that take entries of weights away, of an average too
        self._kept: list[Tensor] = []  # the weights, while the module has the average
        self._resumed: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """Steps so far and the weights; the average is the checkpoint's ``state_dict``, if that is all of it."""
        rows = list(zip(self._names, self._weights, self._average, strict=True))
        return {
            "steps": self._steps,
            "weights": {name: weight for name, weight, _ in rows},
            "average": {name: mean for name, weight, mean in rows if self._settle or mean.dtype != weight.dtype},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep it until training starts: the module has the average by now."""
        self._resumed = state_dict

    @torch.no_grad()
    def on_train_start(self, _: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin with the weights, or put back what a checkpoint held."""
        self._settle = [part.settle for part in pl_module.modules() if isinstance(part, Settles)]
        learning = [(name, p) for name, p in pl_module.named_parameters() if p.requires_grad]
        self._names, self._weights = [name for name, _ in learning], [p for _, p in learning]
        self._average = [weight.detach().clone().to(_wide(weight)) for weight in self._weights]
        if self._resumed:
            self._steps = self._resumed["steps"]
            for (name, weight), average in zip(learning, self._average, strict=True):
                weight.copy_(like(weight, self._resumed["weights"][name]))
                average.copy_(like(average, self._resumed.get("average", {}).get(name, average)))
            self._resumed = {}

    @torch.no_grad()
    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Take up the weights of the step that was done."""
        if trainer.fit_loop._should_accumulate():
            return
        self._steps += 1
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        weights = [weight.to(_wide(weight)) for weight in local(self._weights)]
        torch._foreach_lerp_(local(self._average), weights, 1 - decay)

    @torch.no_grad()
    def on_validation_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Give the module the average."""
        if trainer.state.fn == TrainerFn.FITTING and self._average:
            self._kept = [weight.clone() for weight in self._weights]
            self._put_in()

    @torch.no_grad()
    def on_validation_end(self, *_: Any) -> None:
        """Give the weights back."""
        if self._kept:
            torch._foreach_copy_(local(self._weights), local(self._kept))
            self._kept = []

    def on_save_checkpoint(self, _: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """The average takes the place of the weights, under each name of a tied one."""
        rows = zip(self._weights, self._average, strict=True)
        averages = {weight: average.to(weight.dtype) for weight, average in rows}
        named = pl_module.named_parameters(remove_duplicate=False)
        checkpoint["state_dict"] |= {name: averages[weight] for name, weight in named if weight in averages}

    @torch.no_grad()
    def on_train_end(self, *_: Any) -> None:
        """What training leaves is the average."""
        self._put_in()

    def _put_in(self) -> None:
        torch._foreach_copy_(local(self._weights), local(self._average))
        for settle in self._settle:
            settle()


def _wide(weight: Tensor) -> torch.dtype:
    return torch.promote_types(weight.dtype, torch.float32)
