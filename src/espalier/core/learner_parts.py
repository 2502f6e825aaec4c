"""What modules within a learner may promise to a task that trains it: a penalty, a change after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch


@runtime_checkable
class Penalised(Protocol):
    """It adds to the training loss."""

    def penalty(self) -> torch.Tensor:
        """A scalar with a gradient, once for each batch."""


@runtime_checkable
class Steps(Protocol):
    """It changes after each optimizer step; what it keeps for that are buffers."""

    def after_step(self, step: int, /) -> None:
        """``step`` optimizer steps were done, 1 after the first; the parameters' gradients are still there."""


@runtime_checkable
class Settles(Protocol):
    """It sets some weights by what its buffers say: those that are put in from elsewhere too."""

    def settle(self) -> None:
        """Others were put in: an average of many steps, a checkpoint's."""
