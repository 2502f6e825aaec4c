"""How a model computes where it was placed: its attention, recomputed activations, ``torch.compile``, in shards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.optim import Optimizer

from espalier.core.errors import ConfigError, Fault
from espalier.core.parts import Placement

_TRANSFORMERS = "minilm, bert, hub …"
_OF_WHOLES = ("Adafactor", "Muon", "MuonWithAdamW")  # their steps look at a matrix as a whole


def placed(learner: nn.Module, placement: Placement) -> nn.Module:
    """The learner, told how to compute. Parameters and their names stay what they were.

    Raises:
        ConfigError: the model cannot recompute its activations, has no such attention, or cannot be sharded.
    """
    if placement.strategy.startswith("sharded") and (bits := getattr(learner, "quantize", None)):
        option, instead = _option(placement)
        truth = f"makes weights that hardware={option} cannot divide over the processes."
        raise ConfigError(Fault(f"model.quantize={bits}", truth, f"Set model.quantize=null, or hardware={instead}."))
    if placement.attention:
        _attend(learner, placement.attention)
    if placement.gradient_checkpointing:
        _recompute(learner)
    if placement.compile:
        for part in (learner, *learner.children()):  # tasks call the learner itself, or others of its methods
            part.compile()  # in place: wrapping would rename every parameter
    return learner


def require_divisible(made: Any, placement: Placement) -> None:
    """Refuse optimizers that cannot step a part of a parameter, where each process has but a part.

    Args:
        made: what ``configure_optimizers`` gave.

    Raises:
        ConfigError: there is one.
    """
    for optimizer in _optimizers(made) if placement.strategy.startswith("sharded") else ():
        kind = type(optimizer)
        if kind.__name__ in _OF_WHOLES or kind.__module__.startswith("bitsandbytes"):
            option, instead = _option(placement)
            truth = f"divides each parameter over the processes, and {kind.__name__} steps whole ones alone."
            raise ConfigError(Fault(f"hardware={option}", truth, f"Set optimizer=adamw, or hardware={instead}."))


def require_dividing(task: object, placement: Placement) -> None:
    """Refuse a task, or a module of its learner, that needs its weights whole, where each process has but a part.

    Raises:
        ConfigError: it is one (``task.base.AbstractTask.divides``).
    """
    learner = getattr(task, "learner", None)
    parts: list[object] = [task, *(learner.modules() if isinstance(learner, nn.Module) else ())]
    for part in parts if placement.strategy.startswith("sharded") else ():
        if not getattr(type(part), "divides", True):
            option, instead = _option(placement)
            truth = f"divides each parameter over the processes, and {type(part).__name__} needs whole ones."
            raise ConfigError(Fault(f"hardware={option}", truth, f"Set hardware={instead}."))


def _option(placement: Placement) -> tuple[str, str]:
    """That which shards, and the one beside it that does not."""
    return ("fsdp_cpu", "ddp_cpu") if placement.accelerator == "cpu" else ("fsdp", "ddp")


def _optimizers(made: Any) -> Iterator[Optimizer]:
    if isinstance(made, Optimizer):
        yield made
    for inner in made.values() if isinstance(made, dict) else made if isinstance(made, list | tuple) else ():
        yield from _optimizers(inner)


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
    what = "hardware.gradient_checkpointing=true"
    trunks = _able(learner, "gradient_checkpointing_enable")
    able = [trunk for trunk in trunks if getattr(trunk, "supports_gradient_checkpointing", True)]
    if not able:
        remedy = f"Set hardware.gradient_checkpointing=false, or a model that can: {_TRANSFORMERS}"
        truth = f"{_name(learner)} cannot compute its activations again."
        raise ConfigError(Fault(what, truth, remedy))
    if any(_virtual_tokens(module) for module in learner.modules()):
        # In evaluation mode transformers recomputes nothing, and what it recomputes takes no keys of a prefix.
        truth = "does nothing with trained vectors before a text: the model behind them stays in evaluation mode."
        raise ConfigError(Fault(what, truth, "Set hardware.gradient_checkpointing=false, or adapter=lora."))
    for trunk in able:
        # Not reentrant: gradients reach an adapter's weights though the embeddings before them are frozen.
        trunk.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def _virtual_tokens(module: Any) -> bool:
    configs: Any = getattr(module, "peft_config", {})
    return any(getattr(config, "is_prompt_learning", False) for config in configs.values())


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
