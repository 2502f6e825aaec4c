"""Which weights a checkpoint need not hold: frozen ones that lie where the model came from."""

from __future__ import annotations

from torch import nn

SCRATCH = "from scratch"
"""The origin of a model whose weights lie nowhere yet (``core.parts.Backbone``)."""


def left_out(task: nn.Module) -> set[str]:
    """Names of the frozen parameters of a task whose learner says where they lie."""
    if getattr(getattr(task, "learner", None), "origin", SCRATCH) == SCRATCH:
        return set()
    named = task.named_parameters(remove_duplicate=False)  # tied weights have several names
    return {name for name, parameter in named if not parameter.requires_grad}
