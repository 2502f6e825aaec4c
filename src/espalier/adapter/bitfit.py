"""``adapter=bitfit``: only the biases learn."""

from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def bitfit(backbone: nn.Module, _facts: DataFacts, /) -> nn.Module:
    """Every bias is trained, and nothing else (Ben Zaken et al. 2022, arXiv:2106.10199).

    ``espalier train adapter=bitfit``
    A layer's norm counts by its bias, not by its factor.

    Raises:
        ConfigError: the model has no biases, as most of today's decoders.
    """
    biases = [p for name, p in backbone.named_parameters() if name.rpartition(".")[2].startswith("bias")]
    if not biases:
        truth = f"{type(backbone).__name__} has no biases to train."
        raise ConfigError(Fault("adapter=bitfit", truth, "Try adapter=lora or adapter=layers."))
    backbone.train().requires_grad_(False)
    for bias in biases:
        bias.requires_grad_(True)
    return backbone
