"""PEFT's layers in place of a trunk's own: what adapters of weight matrices share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from peft import PeftConfig, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D

from espalier.core.errors import ConfigError, Fault


def target_modules(backbone: nn.Module, target: str) -> str:
    """PEFT's ``target_modules`` of one of the model's ``targets``.

    Raises:
        ConfigError: the model has no such layers.
    """
    targets: Mapping[str, str] = getattr(backbone, "targets", {})
    if target not in targets:
        offered = ", ".join(targets) or "no layers to adapt"
        raise refusal(backbone, target, f"{type(backbone).__name__} offers {offered}.")
    return _convolutions(backbone) if targets[target] == "all-conv" else targets[target]


def _convolutions(backbone: Any) -> str:
    """PEFT has a word for all dense layers, and none for these."""
    found = [name for name, layer in backbone.trunk.named_modules() if isinstance(layer, nn.Conv2d)]
    return "|".join(map(re.escape, found))


def transposed(backbone: nn.Module) -> bool:
    """Whether its dense layers hold their weights as (in, out), as GPT-2's do."""
    return any(isinstance(module, Conv1D) for module in backbone.modules())


def inject(backbone: nn.Module, config: PeftConfig, target: str) -> nn.Module:
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


def refusal(backbone: nn.Module, target: str, truth: str) -> ConfigError:
    """What is wrong with ``adapter.target``, and the other ones that the model offers."""
    others = [name for name in getattr(backbone, "targets", {}) if name != target]
    remedy = " or ".join([*(f"adapter.target={name}" for name in others), "adapter=full"])
    return ConfigError(Fault(f"adapter.target={target}", truth, f"Try {remedy}."))
