"""Several texts in a row, told apart by the place of each token in its own text, as flash attention does it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface

BY_PLACES = "by_places"


def goes_by_places(attention: str) -> bool:
    """Whether an implementation, by transformers' name, tells texts apart by places alone, and in a single row."""
    return "flash" in attention or attention == BY_PLACES


def by_places(
    module: Any,  # noqa: ARG001  # transformers hands it over
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,  # noqa: ARG001  # flash attention is given none for packed rows
    scaling: float | None = None,
    position_ids: Tensor | None = None,
    **others: Any,  # noqa: ARG001
) -> tuple[Tensor, None]:
    """Causal attention that stands in for flash attention where that cannot run: on any device, in any precision.

    As transformers calls that, it goes by ``position_ids`` where they are handed on to it and there is one row, and
    else takes each row for one text. For checks of short rows without padding.

    Shapes: query (B, H, L, D), key and value (B, K, L, D) with H a multiple of K; gives (B, L, H, D).
    """
    size = query.shape[2]
    seen = torch.ones(size, size, dtype=torch.bool, device=query.device).tril()
    if position_ids is not None and len(query) == 1:
        text = (position_ids[0] == 0).cumsum(0)
        seen &= text == text[:, None]
    grouped = key.shape[1] != query.shape[1]
    told = functional.scaled_dot_product_attention(query, key, value, seen, scale=scaling, enable_gqa=grouped)
    return told.transpose(1, 2), None


AttentionInterface.register(BY_PLACES, by_places)
