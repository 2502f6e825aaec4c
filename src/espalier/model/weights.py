"""Weights of our own backbones as safetensors, under plain names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn


def save_weights(module: nn.Module, folder: Path) -> None:
    """``model.safetensors`` with the backbone's state; a PEFT-adapted trunk is saved in PEFT's layout beside it."""
    trunk: Any = getattr(module, "trunk", None)
    if hasattr(trunk, "peft_config"):
        trunk.save_pretrained(folder)
        trunk = trunk.get_base_model()
    state = {name: value.contiguous() for name, value in module.state_dict().items() if "lora_" not in name}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
