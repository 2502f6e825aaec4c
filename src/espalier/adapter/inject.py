"""PEFT's layers in place of a trunk's own: what adapters of weight matrices share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from peft import PeftConfig, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D

from espalier.core.errors import ConfigError, Fault

Target = str | list[str]
_SHOWN = 12


def target_modules(backbone: nn.Module, target: Target) -> str:
    """PEFT's ``target_modules``: of one of the model's ``targets``; or, of a list, of modules of its trunk by name.

    A module's name may be its end (``query`` of ``encoder.layer.0.attention.self.query``, and all others like it), and
    names of the model's ``targets`` may stand in the list as well.

    Raises:
        ConfigError: the model has no such layers.
    """
    targets: Mapping[str, str] = getattr(backbone, "targets", {})
    if not isinstance(target, str):
        named = dict.fromkeys(n for name in target for n in _modules(backbone, name, target))
        _require_untied(backbone, named, target)
        return "|".join(map(re.escape, named))
    if target not in targets:
        offered = ", ".join(targets) or "no layers to adapt"
        raise refusal(backbone, target, f"{type(backbone).__name__} offers {offered}.")
    return "|".join(map(re.escape, _named(backbone, "all-conv"))) if targets[target] == "all-conv" else targets[target]


def _named(backbone: Any, pattern: str) -> list[str]:
    """Names of the layers that a value of ``targets`` means; PEFT has no word for all convolutions."""
    kinds = {"all-conv": (nn.Conv2d,), "all-linear": (nn.Linear, Conv1D)}.get(pattern)
    layers = backbone.trunk.named_modules()
    if kinds:
        told = getattr(backbone.trunk, "get_output_embeddings", lambda: None)()  # PEFT's all-linear has it not either
        return [name for name, layer in layers if isinstance(layer, kinds) and layer is not told]
    return [name for name, _ in layers if re.fullmatch(pattern, name)]


def _modules(backbone: Any, name: str, target: list[str]) -> list[str]:
    """What one name of a list means. Raises ``ConfigError``."""
    if name in (targets := getattr(backbone, "targets", {})):
        return _named(backbone, targets[name])
    there = [each for each, layer in backbone.trunk.named_modules() if each and not isinstance(layer, nn.Dropout)]
    found = [each for each in there if each == name or each.endswith(f".{name}")]
    if not found:
        ends = list(dict.fromkeys(each.rpartition(".")[2] for each in there if not each.rpartition(".")[2].isdigit()))
        known = ", ".join((ends or there)[:_SHOWN]) + (" …" if len(ends or there) > _SHOWN else "")
        truth = f"names no layer {name!r} of this {type(backbone).__name__}; names there are: {known}."
        raise refusal(backbone, target, truth)
    return found


def _require_untied(backbone: Any, names: Iterable[str], target: list[str]) -> None:
    """Refuse a weight that has two uses: an update learns beside one of them, and is added in for both.

    Raises:
        ConfigError: the model reads tokens and tells them by one matrix, which is among the targets.
    """
    owners = Counter(parameter for _, parameter in backbone.named_parameters(remove_duplicate=False))
    told = {weight for weight, uses in owners.items() if uses > 1}
    told |= {layer.weight for layer in getattr(backbone, "tied", ())}
    for name in names:
        if getattr(backbone.trunk.get_submodule(name), "weight", None) in told:
            truth = f"names {name}, by whose weights {type(backbone).__name__} tells tokens too: both would change."
            raise refusal(backbone, target, truth)


def transposed(backbone: nn.Module) -> bool:
    """Whether its dense layers hold their weights as (in, out), as GPT-2's do."""
    return any(isinstance(module, Conv1D) for module in backbone.modules())


def inject(backbone: nn.Module, config: PeftConfig, target: Target) -> nn.Module:
    """Freeze the backbone and put PEFT's layers into its trunk.

    Raises:
        ConfigError: PEFT cannot adapt these layers.
    """
    part: Any = backbone
    # train(): pretrained models arrive in evaluation mode and Lightning keeps modes; their dropout would stay off.
    backbone.train().requires_grad_(False)
    try:
        part.trunk = get_peft_model(part.trunk, config)
    except ValueError as error:
        reason = str(error).partition(". ")[0].rstrip(".")
        raise refusal(backbone, target, f"PEFT cannot adapt this {type(backbone).__name__}: {reason}.") from error
    return backbone


def require_apart(backbone: nn.Module, option: str) -> None:
    """Refuse an adapter that has no place in a model's weights, where the model's files have it there.

    Raises:
        ConfigError: it is so (``core.parts.Backbone.merges``).
    """
    if getattr(backbone, "merges", False):
        truth = f"cannot be added into weights, and the files of a {type(backbone).__name__} have it nowhere else."
        raise ConfigError(Fault(f"adapter={option}", truth, "Try adapter=lora."))


def refusal(backbone: nn.Module, target: Target, truth: str) -> ConfigError:
    """What is wrong with ``adapter.target``, and the other ones that the model offers."""
    others = [name for name in getattr(backbone, "targets", {}) if name != target]
    remedy = " or ".join([*(f"adapter.target={name}" for name in others), "adapter=full"])
    named = target if isinstance(target, str) else f"[{','.join(target)}]"
    return ConfigError(Fault(f"adapter.target={named}", truth, f"Try {remedy}."))
