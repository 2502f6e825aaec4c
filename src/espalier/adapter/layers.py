"""``adapter=layers``: the top layers learn, those below are frozen."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.state.layers import layers_of


def layers(backbone: nn.Module, _facts: DataFacts, /, *, top: Annotated[int, Ge(1)]) -> nn.Module:
    """The last ``top`` of the trunk's layers are trained, and what stands behind it (a last norm).

    ``espalier train adapter=layers adapter.top=2``. Frozen layers stay in evaluation mode, without dropout, as in a
    probe; nothing is propagated back through them.

    Args:
        top: how many layers, counted from the output.

    Raises:
        ConfigError: the model has no list of layers, or fewer than ``top``.
    """
    stack = list(layers_of(backbone.trunk)) if isinstance(backbone.trunk, nn.Module) else []
    if len(stack) < top:
        truth = f"{type(backbone).__name__} has {len(stack) or 'no list of'} layers."
        remedy = f"Set adapter.top={len(stack)} at most, or adapter=full." if stack else "Try adapter=full."
        raise ConfigError(Fault(f"adapter.top={top}", truth, remedy))
    backbone.eval().requires_grad_(False)
    chosen = stack[len(stack) - top :]
    first, behind = next(chosen[0].parameters()), False
    for parameter in backbone.parameters():
        behind = behind or parameter is first
        parameter.requires_grad_(behind)
    for layer in chosen:
        layer.train()
    return backbone
