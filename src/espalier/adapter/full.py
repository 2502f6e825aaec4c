"""``adapter=full``: every parameter is trained."""

from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def full(backbone: nn.Module, _facts: DataFacts, /) -> nn.Module:
    """The backbone as it is, all of it trainable. ``espalier train adapter=full``.

    Raises:
        ConfigError: its weights are quantised.
    """
    if bits := getattr(backbone, "quantize", None):
        truth = f"trains every weight, and those of model.quantize={bits} are too coarse to learn."
        raise ConfigError(Fault("adapter=full", truth, "Set adapter=lora, or model.quantize=null"))
    # Pretrained models arrive in evaluation mode and Lightning keeps modes: without train() their dropout stays off.
    return backbone.train().requires_grad_(True)
