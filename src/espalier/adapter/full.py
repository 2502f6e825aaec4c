"""``adapter=full``: every parameter is trained."""

from torch import nn

from espalier.core.facts import DataFacts


def full(backbone: nn.Module, facts: DataFacts, /) -> nn.Module:
    """The backbone as it is, all of it trainable. ``espalier train adapter=full``."""
    return backbone.requires_grad_(True)
