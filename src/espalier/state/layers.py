"""The layers of a model's trunk, what stands before and behind them, and its positions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.utils._pytree import tree_leaves

UNFIT = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What PEFT, and models that are given what is not for them, raise."""

_KNOWN: WeakKeyDictionary[nn.Module, dict[str, int]] = WeakKeyDictionary()
_POSITIONS = ("position_embeddings", "wpe", "embed_positions")


def layers_of(module: nn.Module) -> Iterator[nn.Module]:
    """The entries of the outermost lists of two or more modules with parameters, in the order of computation."""
    entries = [child for child in module.children() if next(child.parameters(), None) is not None]
    if isinstance(module, nn.ModuleList | nn.Sequential) and len(entries) > 1:
        yield from entries
    else:
        for entry in entries:
            yield from layers_of(entry)


def positions_of(trunk: nn.Module) -> int | None:
    """How many tokens it has positions for; None where positions are computed."""
    for name, module in trunk.named_modules():
        if name.endswith(_POSITIONS) and isinstance(module, nn.Embedding):
            taken = getattr(module, "padding_idx", None)  # RoBERTa counts on from the padding's id
            offset = getattr(module, "offset", 0 if taken is None else taken + 1)
            return module.num_embeddings - int(offset)
    return None


def least_input(trunk: Any) -> dict[str, Any]:
    """The least that one of transformers' models takes, by names: two tokens or an image; of other modules, nothing."""
    base = trunk.get_base_model() if hasattr(trunk, "get_base_model") else trunk
    config, name = getattr(base, "config", None), getattr(base, "main_input_name", None)
    if config is None or name not in ("input_ids", "pixel_values"):
        return {}
    if name == "pixel_values" and not (hasattr(config, "image_size") and hasattr(config, "num_channels")):
        return {}
    device = next(base.parameters()).device
    if name == "pixel_values":
        sides = config.image_size
        return {
            name: torch.zeros(1, config.num_channels, *((sides, sides) if isinstance(sides, int) else sides)).to(device)
        }
    ids = torch.zeros(1, 2, dtype=torch.long, device=device)
    others = {"attention_mask": torch.ones_like(ids), "decoder_input_ids": ids, "use_cache": False}
    named = inspect.signature(base.forward).parameters
    return {name: ids, **{other: value for other, value in others.items() if other in named}}


def output_of(trunk: Any) -> nn.Module | None:
    """The layer of one of transformers' models that scores tokens."""
    head = trunk.get_output_embeddings() if hasattr(trunk, "get_output_embeddings") else None
    return head if isinstance(head, nn.Module) else None


def first_readers(trunk: nn.Module, layers: Sequence[nn.Module]) -> Mapping[str, int]:
    """A parameter or module by name -> the first of the layers, from 0, that comes behind it; of what is in none.

    ``len(layers)``: it stands behind all of them. Where the trunk is one of transformers' it goes by use, as the model
    computes on two tokens or an image: a layer comes behind all that it is given anything of. DeBERTa registers the
    embeddings of relative positions behind the layers that are given them, and OPT its last norm before them. Of other
    trunks it goes by the order in which their modules were registered. It is found once, while parameters are whole.
    """
    if trunk not in _KNOWN:
        _KNOWN[trunk] = _by_use(trunk, layers) or _by_place(trunk, layers)
    return _KNOWN[trunk]


def _by_place(trunk: nn.Module, layers: Sequence[nn.Module]) -> dict[str, int]:
    number = {layer: i for i, layer in enumerate(layers)}
    found, begun = {}, 0
    for name, module in trunk.named_modules():
        begun = number.get(module, begun - 1) + 1
        found[name] = begun
        found |= {f"{name}.{own}".lstrip("."): begun for own, _ in module.named_parameters(recurse=False)}
    return found


def _by_use(trunk: nn.Module, layers: Sequence[nn.Module]) -> dict[str, int]:
    """Empty where it cannot be tried. Modules that are never called are left out."""
    if not (least := least_input(trunk)):
        return {}
    number = {layer: i for i, layer in enumerate(layers)}
    names = {module: name for name, module in trunk.named_modules()}
    given: dict[int, list[Any]] = {}
    called: dict[str, int] = {}

    def begin(module: nn.Module, args: Any, kwargs: Any) -> None:
        if module in number and number[module] not in given:
            tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and leaf.requires_grad]
            given[number[module]] = [get_gradient_edge(tensor).node for tensor in tensors]
        called.setdefault(names[module], max(given, default=-1) + 1)

    hooks = [module.register_forward_pre_hook(begin, with_kwargs=True) for module in names]
    try:
        with _quiet(trunk), torch.enable_grad():
            trunk.forward(**least)  # not by calling it: it may be about to be compiled
    except UNFIT:
        return {}
    finally:
        for hook in hooks:
            hook.remove()
    reached: dict[Any, int] = {}
    seen: set[Any] = set()
    for i in sorted(given):
        waiting = given[i]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in seen:
                seen.add(node)
                reached |= {node.variable: i} if hasattr(node, "variable") else {}
                waiting += [after for after, _ in node.next_functions]
    return called | {name: reached.get(p, len(layers)) for name, p in trunk.named_parameters()}


@contextmanager
def _quiet(trunk: Any) -> Iterator[None]:
    """Without dropout, by attention that runs anywhere, with a gradient for each parameter; then as it was."""
    base = trunk.get_base_model() if hasattr(trunk, "get_base_model") else trunk
    attention = getattr(base.config, "_attn_implementation", None)
    other = attention not in (None, "eager", "sdpa") and hasattr(base, "set_attn_implementation")
    modes = [(module, module.training) for module in trunk.modules()]
    learning = [(p, p.requires_grad) for p in trunk.parameters() if p.is_floating_point()]
    try:
        if other:
            base.set_attn_implementation("eager")
        for parameter, _ in learning:
            parameter.requires_grad_(True)
        trunk.eval()
        yield
    finally:
        for parameter, learns in learning:
            parameter.requires_grad_(learns)
        for module, training in modes:
            module.training = training
        if other:
            base.set_attn_implementation(attention)
