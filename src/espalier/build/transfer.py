"""Weights from one model into another: taken out under the names of the plain backbone, held against those wanted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from espalier.core.errors import ConfigError, Fault

_SHOWN = 3
_TRUNK = "trunk."


def merge(learner: nn.Module) -> nn.Module:
    """Add what an adapter learned beside the weights of a module's parts into the weights themselves, in place.

    Afterwards parameters have the names and shapes of the backbone without an adapter. What has no place in the weights
    stays as it is (tokens before a text, layers that are not linear), as does a quantised model: what is added would be
    rounded to its few bits. What an adapter put beside them for its training (``of_adapter``) is taken away.
    """
    if getattr(learner, "quantize", None):
        return learner
    for name, child in list(learner.named_children()):
        part: Any = child
        if hasattr(part, "merge_and_unload") and not part.active_peft_config.is_prompt_learning:
            setattr(learner, name, part.merge_and_unload())
        elif getattr(part, "of_adapter", False):
            delattr(learner, name)
    return learner


def require_merged(learner: nn.Module) -> None:
    """Refuse a module of which an adapter still stands beside the weights.

    Raises:
        ConfigError: its adapter's kind has no place in them.
    """
    if any(hasattr(part, "active_peft_config") for part in learner.children()) and not getattr(learner, "quantize", 0):
        truth = "come from a run whose adapter learned beside the model, and nothing that its weights could take up."
        raise ConfigError(Fault("weights", truth, "Set weights=null: the model begins as that run's did."))


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        weights: dict[str, Tensor] = load_file(file)
    except (OSError, SafetensorError) as error:
        truth = f"cannot be read as safetensors: {str(error).strip().partition(chr(10))[0].rstrip('.')}."
        raise ConfigError(Fault(f"weights={file}", truth, "Copy it again, or name another.")) from None
    return weights


def take_up(backbone: nn.Module, weights: Mapping[str, Tensor], path: Path, of: str) -> None:
    """Let a backbone have these weights.

    Args:
        weights: under the backbone's own names, or under those of its trunk alone.
        path: where they come from; it is what the user set.
        of: what they are of, for people: ``minilm of run …``.

    Raises:
        ConfigError: they are of another model: other names, or other shapes.
    """
    if bits := getattr(backbone, "quantize", None):
        truth = "quantises weights as they are loaded, and cannot begin with others."
        raise ConfigError(Fault(f"model.quantize={bits}", truth, "Set model.quantize=null or weights=null"))
    wanted = backbone.state_dict()
    inner = {f"{_TRUNK}{name}": tensor for name, tensor in weights.items()}
    if not weights.keys() & wanted.keys() and inner.keys() & wanted.keys():
        weights = inner
    said = []
    if missing := sorted(wanted.keys() - weights.keys()):
        said.append(f"lack {len(missing)} that it needs ({_listed(missing)})")
    if strange := sorted(weights.keys() - wanted.keys()):
        said.append(f"have {len(strange)} that it has not ({_listed(strange)})")
    if other := [name for name in wanted if name in weights and wanted[name].shape != weights[name].shape]:
        shapes = f"{_shape(weights[other[0]])} there, {_shape(wanted[other[0]])} here"
        said.append(f"have {len(other)} of other shapes ({other[0]}: {shapes})")
    if said:
        truth = f"are weights of {of}, and do not fit this {type(backbone).__name__}: they {', '.join(said)}."
        raise ConfigError(Fault(f"weights={path}", truth, "Choose the same model with the same settings."))
    backbone.load_state_dict(weights)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"
