"""Weights of our own backbones as safetensors, under plain names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn

_OWN = "base_layer"  # a layer of the model, within what an adapter made of it


def save_weights(module: nn.Module, folder: Path) -> None:
    """``model.safetensors`` with the backbone's state; what an adapter added lies beside it in PEFT's layout."""
    trunk: Any = getattr(module, "trunk", None)
    adapted = hasattr(trunk, "peft_config")
    if adapted:
        trunk.save_pretrained(folder)
    state = module.state_dict()
    if adapted:
        inner = trunk.get_base_model()
        added = tuple(f"{name}." for name, part in inner.named_modules() if hasattr(part, _OWN))
        base = {n: v for n, v in inner.state_dict().items() if not n.startswith(added) or f".{_OWN}." in n}
        state = {f"trunk.{name.replace(f'.{_OWN}.', '.')}": value for name, value in base.items()}
    state = {name: value.contiguous() for name, value in state.items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def as_code(module: nn.Module) -> str:
    """The expression that makes such a layer: torch's layers print their arguments as Python."""
    layer: nn.Module = getattr(module, _OWN, module)
    inner = ", ".join(map(as_code, layer)) if isinstance(layer, nn.Sequential) else layer.extra_repr()
    return f"nn.{type(layer).__name__}({inner})"
