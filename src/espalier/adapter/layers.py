"""``adapter=layers``: the top layers learn, those below are frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge
from torch import nn

from espalier.adapter.full import require_fine
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.state.layers import first_readers, layers_of, output_of


def layers(backbone: nn.Module, _facts: DataFacts, /, *, top: Annotated[int, Ge(1)]) -> nn.Module:
    """The last ``top`` of the trunk's layers are trained, and what comes behind the first of them (a last norm).

    ``espalier train adapter=layers adapter.top=2``. Frozen layers, and what they or the first trained one are given,
    stay in evaluation mode, without dropout, as in a probe; nothing is propagated back through them. A language model's
    head, where it has weights of its own, stays what it was.

    Args:
        top: how many layers, counted from the output.

    Raises:
        ConfigError: the model has no list of layers, or fewer than ``top``; its weights are quantised.
    """
    require_fine(backbone, "layers", "weights of layers")
    stack = list(layers_of(backbone.trunk)) if isinstance(backbone.trunk, nn.Module) else []
    if len(stack) < top:
        truth = f"{type(backbone).__name__} has {len(stack) or 'no list of'} layers."
        remedy = f"Set adapter.top={len(stack)} at most, or adapter=full." if stack else "Try adapter=full."
        raise ConfigError(Fault(f"adapter.top={top}", truth, remedy))
    trunk: Any = backbone.trunk
    first, readers = len(stack) - top, first_readers(trunk, stack)
    frozen, chosen = ({p for layer in part for p in layer.parameters()} for part in (stack[:first], stack[first:]))
    if head := output_of(trunk):
        frozen |= set(head.parameters())
    backbone.eval().requires_grad_(False)
    for name, parameter in trunk.named_parameters():
        parameter.requires_grad_(parameter not in frozen and (parameter in chosen or readers[name] > first))
    for layer in stack[first:]:
        layer.train()
    _train_bare(backbone, trunk, readers, first)
    _train_behind(backbone, trunk)
    return backbone


def _train_behind(backbone: Any, trunk: nn.Module) -> None:
    """What a model has registered behind its trunk (a projection, say) is trained, but for a language model's head."""
    parts = list(backbone.children())
    for part in parts[parts.index(trunk) + 1 :] if trunk in parts else ():
        if not (hasattr(backbone, "logits") and part is getattr(backbone, "head", None)):
            part.train().requires_grad_(True)


def _train_bare(backbone: nn.Module, trunk: nn.Module, readers: Mapping[str, int], first: int) -> None:
    """Put into training mode what has no weights and comes behind the first layer that learns, and the model itself,
    which moves images and drops words."""
    bare = [(name, module) for name, module in trunk.named_modules() if next(module.parameters(), None) is None]
    for name, module in bare:
        module.training = module.training or readers.get(name, 0) > first
    within = set(trunk.modules())
    for module in backbone.modules():
        if module not in within and (module is backbone or next(module.parameters(), None) is None):
            module.training = True
