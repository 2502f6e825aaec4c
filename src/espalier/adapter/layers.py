"""``adapter=layers``: the top layers learn, those below are frozen."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def layers(backbone: nn.Module, _facts: DataFacts, /, *, top: Annotated[int, Ge(1)]) -> nn.Module:
    """The last ``top`` layers of the trunk's longest stack are trained, and what stands behind it (a last norm).

    ``espalier train adapter=layers adapter.top=2``. Frozen layers stay in evaluation mode, without dropout, as in a
    probe; nothing is propagated back through them.

    Args:
        top: how many layers, counted from the output.

    Raises:
        ConfigError: the model has no stack of layers, or fewer than ``top``.
    """
    stack = _stack(backbone)
    if len(stack) < top:
        truth = f"{type(backbone).__name__} has {len(stack) or 'no stack of'} layers."
        remedy = f"Set adapter.top={len(stack)} at most, or adapter=full." if len(stack) else "Try adapter=full."
        raise ConfigError(Fault(f"adapter.top={top}", truth, remedy))
    backbone.eval().requires_grad_(False)
    chosen = stack[len(stack) - top :].train()
    first = next(iter(chosen.parameters()))
    behind = False
    for parameter in backbone.parameters():
        behind = behind or parameter is first
        parameter.requires_grad_(behind)
    return backbone


def _stack(backbone: nn.Module) -> nn.ModuleList:
    """The longest list of modules; an empty one where there is none."""
    found = [module for module in backbone.modules() if isinstance(module, nn.ModuleList)]
    return max(found, key=len, default=nn.ModuleList())
