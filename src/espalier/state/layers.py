"""The layers of a model's trunk and its positions, found by its structure."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

_POSITIONS = ("position_embeddings", "wpe", "embed_positions")


def layers_of(module: nn.Module) -> Iterator[nn.Module]:
    """The entries of the outermost lists of two or more modules with parameters, in the order of computation."""
    entries = [child for child in module.children() if next(child.parameters(), None) is not None]
    if isinstance(module, nn.ModuleList | nn.Sequential) and len(entries) > 1:
        yield from entries
    else:
        for entry in entries:
            yield from layers_of(entry)


def positions_of(trunk: nn.Module) -> int | None:
    """How many tokens it has positions for; None where positions are computed."""
    for name, module in trunk.named_modules():
        if name.endswith(_POSITIONS) and isinstance(module, nn.Embedding):
            taken = getattr(module, "padding_idx", None)  # RoBERTa counts on from the padding's id
            offset = getattr(module, "offset", 0 if taken is None else taken + 1)
            return module.num_embeddings - int(offset)
    return None
