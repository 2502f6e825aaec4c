"""``adapter=lora``: low-rank updates beside frozen weight matrices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D

from espalier.core.bounds import OfferedBy
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def lora(
    backbone: nn.Module,
    _facts: DataFacts,
    /,
    *,
    target: Annotated[str, OfferedBy("model", "targets")],
    rank: Annotated[int, Ge(1)],
    alpha: Annotated[float, Gt(0)],
    dropout: Annotated[float, Ge(0), Lt(1)],
) -> nn.Module:
    """W x + (alpha / rank) B A x with W frozen, A and B trained (Hu et al. 2021, arXiv:2106.09685), by PEFT.

    ``espalier train adapter=lora adapter.rank=16 adapter.alpha=32``

    Args:
        target: one of the names in the model's ``targets``.
        rank: rows of A, columns of B.
        alpha: the update's scale is alpha / rank.
        dropout: on the update's input.

    Raises:
        ConfigError: the model has no such layers, or PEFT cannot adapt them.
    """
    part: Any = backbone
    targets: Mapping[str, str] = getattr(backbone, "targets", {})
    if target not in targets:
        offered = ", ".join(targets) or "no layers to adapt"
        raise _fault(backbone, target, f"{type(backbone).__name__} offers {offered}.")
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=targets[target],
        bias="none",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in part.trunk.modules()),  # GPT-2's transposed weights
    )
    # train(): pretrained models arrive in evaluation mode and Lightning keeps modes; their dropout would stay off.
    backbone.train().requires_grad_(False)
    try:
        part.trunk = get_peft_model(part.trunk, config)
    except ValueError as error:
        reason = str(error).partition(". ")[0].rstrip(".")
        raise _fault(backbone, target, f"PEFT cannot adapt this {type(backbone).__name__}: {reason}.") from error
    return backbone


def _fault(backbone: nn.Module, target: str, truth: str) -> ConfigError:
    others = [name for name in getattr(backbone, "targets", {}) if name != target]
    remedy = " or ".join([*(f"adapter.target={name}" for name in others), "adapter=full"])
    return ConfigError(Fault(f"adapter.target={target}", truth, f"Try {remedy}."))
