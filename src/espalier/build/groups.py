"""Parameters -> groups: which are spared weight decay, which learn more slowly, which are hidden matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn import Parameter
from torch.nn.modules.conv import _ConvNd

from espalier.core.errors import ConfigError, Fault
from espalier.state.layers import first_readers, layers_of, output_of

Group = dict[str, Any]
_LAYERS = (nn.Linear, _ConvNd, nn.Embedding, nn.EmbeddingBag)
_KEYS = ("decay_vectors", "layer_decay", "matrices")


def groups_of(parameters: Any, settings: Mapping[str, Any]) -> list[Parameter] | list[Group]:
    """What an optimizer is called with: the parameters that learn, in groups where its settings tell them apart.

    Args:
        parameters: a module (a task, or a part of one), or bare parameters.
        settings: of the optimizer. Read: ``lr``, ``weight_decay``, ``decay_vectors``, ``layer_decay``, ``matrices``.

    Returns:
        A plain list where one group is enough. Else groups with a ``name``, and with ``lr``, ``weight_decay`` where
        they differ from the settings; for an optimizer that has ``matrices``, each says ``matrix``.

    Raises:
        ConfigError: nothing learns; or what is asked for cannot be told of these parameters.
    """
    module = parameters if isinstance(parameters, nn.Module) else None
    learning = [p for p in (module.parameters() if module else parameters) if p.requires_grad]
    if not learning:
        raise ConfigError(Fault("adapter", "leaves nothing to train.", "Try adapter=full."))
    if not any(key in settings for key in _KEYS):
        return learning
    depths, matrices = _depths(module, settings), _matrices(module, settings)
    spares = not settings.get("decay_vectors", True) and bool(settings.get("weight_decay"))
    vectors = _vectors(module, learning) if spares else set()
    groups: dict[tuple[int, bool, bool], Group] = {}
    for parameter in learning:
        depth, matrix = depths.get(parameter, 0), parameter in matrices
        spared = parameter in vectors
        if (depth, matrix, spared) not in groups:
            group: Group = {"params": [], "name": _name(depth if depths else None, matrix, spared)}
            group |= {"lr": settings["lr"] * settings["layer_decay"] ** depth} if depth else {}
            group |= {"weight_decay": 0.0} if spared else {}
            group |= {"matrix": matrix} if "matrices" in settings else {}
            groups[depth, matrix, spared] = group
        groups[depth, matrix, spared]["params"].append(parameter)
    return learning if len(groups) == 1 and "matrices" not in settings else list(groups.values())


def _name(depth: int | None, matrix: bool, spared: bool) -> str:
    kind = "matrices" if matrix else "vectors" if spared else "weights"
    return kind if depth is None else f"{kind}-{depth}-below-head"


def _depths(module: nn.Module | None, settings: Mapping[str, Any]) -> dict[Parameter, int]:
    """How many layers from the head, 0 for the head's own; empty where all learn at one rate.

    A trunk of n layers: its layer i (from 0) is at n - i, what comes before the first one (embeddings, also of relative
    positions) at n + 1; what comes behind the last (a pooler, a last norm) learns as the head does.
    """
    decay = settings.get("layer_decay", 1.0)
    if decay == 1.0:
        return {}
    trunk = _trunk(module) if module else None
    layers = list(layers_of(trunk)) if trunk else []
    if not trunk or not layers:
        truth = "finds no layers: the trunk that is trained has no list of them."
        raise ConfigError(Fault(f"optimizer.layer_decay={decay}", truth, "Set optimizer.layer_decay=1.0"))
    place = {parameter: i for i, layer in enumerate(layers) for parameter in layer.parameters()}
    last, readers = len(layers), first_readers(trunk, layers)
    depths = {}
    for name, parameter in trunk.named_parameters():
        read = readers.get(name, last)
        depths[parameter] = last - place[parameter] if parameter in place else last - read + 1 if read < last else 0
    return depths


def _vectors(module: nn.Module | None, learning: Sequence[Parameter]) -> set[Parameter]:
    """Parameters of one axis, and those whose other axes have length 1, as IA3's scales; no layer's or embedding's."""
    layers = [layer for layer in module.modules() if isinstance(layer, _LAYERS)] if module else []
    # A layer's parameters, not its weight: a parametrised one's is computed, and changes what it is computed with.
    matrices = {p for layer in layers for p in layer.parameters() if p.ndim > 1}
    return {p for p in learning if p.ndim < 2 or (sum(n > 1 for n in p.shape) < 2 and module and p not in matrices)}


def _matrices(module: nn.Module | None, settings: Mapping[str, Any]) -> set[Parameter]:
    """What an optimizer with ``matrices`` treats as such: two axes longer than 1, by which states are multiplied.

    So no embedding's rows, nor what a model learns beside its layers and adds: positions, biases of heads.
    """
    if "matrices" not in settings:
        return set()
    part = module if module is None or settings["matrices"] == "all" else _trunk(module)
    found = {
        parameter
        for path, owner in (part.named_modules() if part else ())
        for name, parameter in owner.named_parameters(recurse=False)
        if parameter.requires_grad and parameter.ndim == 2 and min(parameter.shape) > 1
        # A parametrised weight's own name is "original", of a list that has the weight's; PEFT's are in dicts.
        if "weight" in f"{path.rpartition('.')[2]}.{name}" or isinstance(owner, nn.ParameterDict)
    }
    for inner in part.modules() if part else ():
        if isinstance(inner, nn.Embedding | nn.EmbeddingBag):
            found -= set(inner.parameters())
    if settings["matrices"] == "hidden" and (head := output_of(part)):
        found -= set(head.parameters())
    if not found:
        truth = "finds no matrix among what is trained of the model's trunk."
        raise ConfigError(Fault(f"optimizer.matrices={settings['matrices']}", truth, "Try optimizer=adamw"))
    return found


def _trunk(module: nn.Module) -> nn.Module:
    """The part of a task that a model brings; of another module, itself."""
    trunk = getattr(getattr(module, "learner", module), "trunk", None)
    return trunk if isinstance(trunk, nn.Module) else module
