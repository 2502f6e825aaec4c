"""``adapter=probe``: the backbone is frozen; only the task's head is trained."""

from torch import nn

from espalier.core.facts import DataFacts


def probe(backbone: nn.Module, _facts: DataFacts, /) -> nn.Module:
    """The backbone without gradients, in evaluation mode. ``espalier train adapter=probe optimizer.lr=1e-2``.

    A linear probe learns on the features that prediction will see: no dropout, and no statistics of normalising
    layers that drift with the batches. Lightning keeps each module's mode, so it stays in evaluation mode.
    """
    return backbone.eval().requires_grad_(False)
