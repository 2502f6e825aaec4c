"""``model=mlp``: dense layers on pixels or features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt, MinLen
from torch import Tensor, nn

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.augment import Augment
from espalier.model.recipe import adapting
from espalier.model.weights import as_code, save_weights
from espalier.state.frozen import SCRATCH

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
_RECIPE = """
import torch
{imports}from safetensors.torch import load_file
from torch import nn

trunk = {trunk}
weights = load_file("model.safetensors")
trunk.load_state_dict({{name.removeprefix("trunk."): value for name, value in weights.items()}})
{adapted}trunk.eval().float()


def features(rows):  # numbers as they stand in the data: an image's pixels from 0 to 255
    with torch.inference_mode():
        return trunk((rows.flatten(1).float() - {mean!r}) / {std!r})


rows = torch.zeros({shape})  # yours
"""


class Mlp(nn.Module):
    """Flattened input -> dense layers -> the last layer's activations; the task's head comes after.

    ``espalier train data=mnist model=mlp adapter=full``: 784 -> 128 -> 10.

    Args:
        hidden: features of each hidden layer.
        activation: after each layer.
        dropout: after each activation.
        shift: pixels by which a training image is moved at most, each way; 0 for vectors.

    Shapes: ``batch["image"]`` or ``batch["vector"]`` (B, ...) -> (B, hidden[-1]).
    """

    targets: ClassVar[Mapping[str, str]] = {"mlp": "all-linear", "all_linear": "all-linear"}

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        hidden: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)],
        activation: Literal["relu", "gelu", "tanh"],
        dropout: Annotated[float, Ge(0), Lt(1)],
        shift: Annotated[int, Ge(0)],
    ) -> None:
        super().__init__()
        self.origin, self.encoding, self.shape = SCRATCH, encoding, facts.shape
        self.role, kind = next((role, kind) for role, kind in facts.kinds.items() if kind in ("image", "vector"))
        self.augment = Augment(kind, shift=shift, flip=False)
        # Normalising by one mean and one deviation is an affine map: folded into one multiply and one add per batch.
        self.mean, self.std = getattr(encoding, "mean", 0.0), getattr(encoding, "std", 1.0)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([math.prod(facts.shape), *hidden]):
            layers += [nn.Linear(inputs, outputs), _ACTIVATIONS[activation]()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.trunk: nn.Module = nn.Sequential(*layers)
        self.width = hidden[-1]

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The last hidden layer's activations."""
        values = self.augment(batch[self.role]) if self.training else batch[self.role]
        # Bytes become floats as the mean is taken off: one pass less, and no copy that is thrown away.
        normalised = torch.sub(values.flatten(1), self.mean).div_(self.std)
        features: Tensor = self.trunk(normalised)
        return features

    def save(self, folder: Path, /) -> None:
        """``model.safetensors`` and ``pixels.json`` (mean and std by which to normalise)."""
        save_weights(self, folder)

    def recipe(self) -> str:
        """Plain torch that loads what ``save`` wrote."""
        adapted = hasattr(self.trunk, "peft_config")
        trunk: Any = self.trunk
        imports, lines = adapting(trunk, "trunk") if adapted else ([], "")
        return _RECIPE.format(
            trunk=as_code(trunk.get_base_model() if adapted else trunk),
            imports="".join(f"{line}\n" for line in imports),
            adapted=lines,
            mean=self.mean,
            std=self.std,
            shape=", ".join(map(str, (2, *self.shape))),
        )
