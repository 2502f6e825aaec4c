"""``adapter=lora``: low-rank updates beside frozen weight matrices; ``rslora`` and ``dora`` are variants of it."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt, MinLen
from peft import LoraConfig
from torch import nn

from espalier.adapter.inject import inject, target_modules, transposed
from espalier.core.bounds import OfferedBy
from espalier.core.facts import DataFacts


def lora(
    backbone: nn.Module,
    _facts: DataFacts,
    /,
    *,
    target: Annotated[str | list[str], OfferedBy("model", "targets"), MinLen(1)],
    rank: Annotated[int, Ge(1)],
    alpha: Annotated[float, Gt(0)],
    dropout: Annotated[float, Ge(0), Lt(1)],
    variant: Literal["plain", "rank_stabilised", "weight_decomposed"],
) -> nn.Module:
    """W x + s B A x with W frozen, A and B trained (Hu et al. 2021, arXiv:2106.09685), by PEFT.

    ``espalier train adapter=lora adapter.rank=16 adapter.alpha=32``

    Args:
        target: one of the names in the model's ``targets``, or a list of modules by name (``adapter.inject``).
        rank: rows of A, columns of B.
        alpha: the update's scale s is alpha / rank.
        dropout: on the update's input.
        variant: ``rank_stabilised``: s is alpha / sqrt(rank), so that a large rank learns as fast as a small one
            (Kalajdzievski 2023, arXiv:2312.03732). ``weight_decomposed``: each column of W + s B A keeps a trained
            length, and the update turns its direction (Liu et al. 2024, arXiv:2402.09353).

    Raises:
        ConfigError: the model has no such layers, or PEFT cannot adapt them.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=target_modules(backbone, target),
        bias="none",
        use_rslora=variant == "rank_stabilised",
        use_dora=variant == "weight_decomposed",
        fan_in_fan_out=transposed(backbone),
    )
    return inject(backbone, config, target)
