"""``adapter=full``: every parameter is trained."""

from torch import nn

from espalier.core.facts import DataFacts


def full(backbone: nn.Module, _facts: DataFacts, /) -> nn.Module:
    """The backbone as it is, all of it trainable. ``espalier train adapter=full``."""
    # Pretrained models arrive in evaluation mode and Lightning keeps modes: without train() their dropout stays off.
    return backbone.train().requires_grad_(True)
