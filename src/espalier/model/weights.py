"""Weights of our own backbones as safetensors, under plain names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import save_file
from torch import nn


def save_weights(module: nn.Module, folder: Path) -> None:
    """``model.safetensors`` with the backbone's state; what PEFT added to the trunk lies beside it in PEFT's layout."""
    trunk: Any = getattr(module, "trunk", None)
    adapted = hasattr(trunk, "peft_config")
    if adapted:
        trunk.save_pretrained(folder)
    state = module.state_dict()
    if adapted:
        added = tuple(f"{name}." for name, part in module.named_modules() if isinstance(part, BaseTunerLayer))
        base = {name: value for name, value in state.items() if name.startswith("trunk.")}
        state = {_plain(n): v for n, v in base.items() if not n.startswith(added) or ".base_layer." in n}
    state = {name: value.contiguous() for name, value in state.items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def as_code(module: nn.Module) -> str:
    """The expression that makes such a layer: torch's layers print their arguments as Python."""
    layer: nn.Module = getattr(module, "base_layer", module)  # within what PEFT made of it
    inner = ", ".join(map(as_code, layer)) if isinstance(layer, nn.Sequential) else layer.extra_repr()
    return f"nn.{type(layer).__name__}({inner})"


def _plain(name: str) -> str:
    # PEFT wraps the trunk in two modules and each layer that it adapts in one.
    return name.replace("trunk.base_model.model.", "trunk.").replace(".base_layer.", ".")
