"""``adapter=ia3``: learned factors on the inputs or outputs of frozen layers."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MinLen
from peft import IA3Config
from torch import nn

from espalier.adapter.inject import inject, target_modules, transposed
from espalier.core.bounds import OfferedBy
from espalier.core.facts import DataFacts


def ia3(
    backbone: nn.Module,
    _facts: DataFacts,
    /,
    *,
    target: Annotated[str | list[str], OfferedBy("model", "targets"), MinLen(1)],
) -> nn.Module:
    """l * (W x), one trained factor for each output of the chosen layers (Liu et al. 2022, arXiv:2205.05638), by PEFT.

    The factors begin at 1, so the model begins as it was. ``espalier train adapter=ia3 optimizer.lr=1e-2``

    Args:
        target: one of the names in the model's ``targets``, or a list of modules by name (``adapter.inject``).

    Raises:
        ConfigError: the model has no such layers, or PEFT cannot adapt them.
    """
    layers = target_modules(backbone, target)
    config = IA3Config(target_modules=layers, feedforward_modules=[], fan_in_fan_out=transposed(backbone))
    return inject(backbone, config, target)
