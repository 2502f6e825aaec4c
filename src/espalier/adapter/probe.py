"""``adapter=probe``: the backbone is frozen; only the task's head is trained."""

from torch import nn

from espalier.core.facts import DataFacts


def probe(backbone: nn.Module, facts: DataFacts, /) -> nn.Module:
    """The backbone without gradients and without dropout. ``espalier train adapter=probe optimizer.lr=1e-2``.

    A linear probe sees the features that prediction will see, so the frozen layers' dropout is set to 0.
    """
    for module in backbone.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, nn.RNNBase):
            module.dropout = 0.0
    return backbone.requires_grad_(False)
