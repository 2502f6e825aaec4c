"""``adapter=full``: every parameter is trained."""

from torch import nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def full(backbone: nn.Module, _facts: DataFacts, /) -> nn.Module:
    """The backbone as it is, all of it trainable. ``espalier train adapter=full``.

    Raises:
        ConfigError: its weights are quantised.
    """
    require_fine(backbone, "full", "every weight")
    # Pretrained models arrive in evaluation mode and Lightning keeps modes: without train() their dropout stays off.
    return backbone.train().requires_grad_(True)


def require_fine(backbone: nn.Module, option: str, trained: str) -> None:
    """Refuse to train weights in place that are kept in 4 or 8 bits.

    Raises:
        ConfigError: they are.
    """
    if bits := getattr(backbone, "quantize", None):
        truth = f"trains {trained}, and those of model.quantize={bits} are too coarse to learn."
        raise ConfigError(Fault(f"adapter={option}", truth, "Set adapter=lora, or model.quantize=null"))
