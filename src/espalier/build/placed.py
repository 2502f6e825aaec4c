"""How a model computes where it was placed: its attention, recomputed activations, ``torch.compile``."""

from __future__ import annotations

from typing import Any

from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.parts import Placement

_TRANSFORMERS = "minilm, bert, hub …"


def placed(learner: nn.Module, placement: Placement) -> nn.Module:
    """The learner, told how to compute. Parameters and their names stay what they were.

    Raises:
        ConfigError: the model cannot recompute its activations, or has no such attention.
    """
    if placement.attention:
        _attend(learner, placement.attention)
    if placement.gradient_checkpointing:
        _recompute(learner)
    if placement.compile:
        learner.compile()  # in place: wrapping would rename every parameter
    return learner


def _attend(learner: nn.Module, attention: str) -> None:
    what = f"hardware.attention={attention}"
    trunks = _able(learner, "set_attn_implementation")
    if not trunks:
        remedy = f"Set hardware.attention=null, or a model that has the choice: {_TRANSFORMERS}"
        raise ConfigError(Fault(what, f"{_name(learner)} has no other attention than its own.", remedy))
    for trunk in trunks:
        try:
            trunk.set_attn_implementation(attention)
        except (ImportError, ValueError) as error:
            truth = f"{type(trunk).__name__} cannot: {str(error).strip().splitlines()[0]}"
            raise ConfigError(Fault(what, truth, "Set hardware.attention=null, sdpa or eager.")) from error


def _recompute(learner: nn.Module) -> None:
    trunks = _able(learner, "gradient_checkpointing_enable")
    able = [trunk for trunk in trunks if getattr(trunk, "supports_gradient_checkpointing", True)]
    if not able:
        remedy = f"Set hardware.gradient_checkpointing=false, or a model that can: {_TRANSFORMERS}"
        truth = f"{_name(learner)} cannot compute its activations again."
        raise ConfigError(Fault("hardware.gradient_checkpointing=true", truth, remedy))
    for trunk in able:
        # Not reentrant: gradients reach an adapter's weights though the embeddings before them are frozen.
        trunk.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def _able(learner: nn.Module, method: str) -> list[Any]:
    """The outermost modules that have a method of their class."""
    found: list[Any] = []
    for module in learner.modules():
        inside = any(module in other.modules() for other in found)
        if callable(getattr(type(module), method, None)) and not inside:
            found.append(module)
    return found


def _name(learner: nn.Module) -> str:
    return type(learner).__name__
