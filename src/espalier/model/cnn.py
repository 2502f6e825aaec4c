"""``model=cnn``: convolutions on images, learned from scratch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt, MinLen
from torch import Tensor, nn

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.augment import Augment
from espalier.model.recipe import adapting
from espalier.model.weights import as_code, save_weights
from espalier.state.frozen import SCRATCH

_POOLS = {"max": nn.MaxPool2d, "mean": nn.AvgPool2d}
_RECIPE = """
import torch
{imports}from safetensors.torch import load_file
from torch import nn

trunk = {trunk}
weights = load_file("model.safetensors")
trunk.load_state_dict({{name.removeprefix("trunk."): value for name, value in weights.items()}})
{adapted}trunk.eval().float()


def features(images):  # pixels from 0 to 255
    with torch.inference_mode():
        return trunk((images.float() - {mean!r}) / {std!r})


rows = torch.zeros({shape})  # yours
"""


class Cnn(nn.Module):
    """Blocks of convolution, batch norm and ReLU, each ending in a pool that halves the image; the mean over places.

    Simonyan & Zisserman 2015 (arXiv:1409.1556) with batch norm (Ioffe & Szegedy 2015, arXiv:1502.03167), and one mean
    for each channel in place of dense layers (Lin et al. 2014, arXiv:1312.4400). Images of any size and channels.

    ``espalier train data=mnist model=cnn adapter=full``

    Args:
        channels: of each block.
        convolutions: in each block.
        kernel: side of a convolution, odd; the image is padded to keep its size.
        pooling: what halves the image: ``max`` or ``mean`` of 2 x 2 places.
        dropout: on the features, in training.
        shift: pixels by which a training image is moved at most, each way.
        flip: whether training images are mirrored at random, left and right.

    Shapes: ``batch["image"]`` (B, C, H, W), pixels from 0 to 255 -> (B, channels[-1]).

    Raises:
        ConfigError: the data has no images, or they are too small to be halved so often.
    """

    targets: ClassVar[Mapping[str, str]] = {"conv": "all-conv"}

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        channels: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)],
        convolutions: Annotated[int, Ge(1)],
        kernel: Literal[1, 3, 5, 7],
        pooling: Literal["max", "mean"],
        dropout: Annotated[float, Ge(0), Lt(1)],
        shift: Annotated[int, Ge(0)],
        flip: bool,
    ) -> None:
        super().__init__()
        self.origin, self.encoding, self.shape = SCRATCH, encoding, facts.shape
        self.role = _image_role(facts)
        _require_size(facts.shape, len(channels))
        self.mean, self.std = getattr(encoding, "mean", 0.0), getattr(encoding, "std", 1.0)
        self.augment = Augment("image", shift=shift, flip=flip)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([facts.shape[0], *channels]):
            for first in [inputs] + [outputs] * (convolutions - 1):
                # The norm's own shift makes a bias before it idle.
                layers += [nn.Conv2d(first, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs)]
                layers.append(nn.ReLU(inplace=True))
            layers.append(_POOLS[pooling](2))
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        self.trunk: nn.Module = nn.Sequential(*layers)
        self.width = channels[-1]

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """A feature for each channel of the last block."""
        images = self.augment(batch[self.role]) if self.training else batch[self.role]
        normalised = torch.sub(images, self.mean).div_(self.std)
        # Channels last is the layout in which CPUs and tensor cores convolve fastest. Of the images alone: a resumed
        # optimizer's averages would not have the layout of weights that were turned.
        features: Tensor = self.trunk(normalised.contiguous(memory_format=torch.channels_last))
        return features

    def save(self, folder: Path, /) -> None:
        """``model.safetensors``; the encoding's ``pixels.json`` says by what to normalise."""
        save_weights(self, folder)

    def recipe(self) -> str:
        """Plain torch that loads what ``save`` wrote."""
        shape = ", ".join(map(str, (2, *self.shape)))
        trunk: Any = self.trunk
        adapted = hasattr(trunk, "peft_config")
        imports, lines = adapting(trunk, "trunk") if adapted else ([], "")
        code = as_code(trunk.get_base_model() if adapted else trunk)
        return _RECIPE.format(
            trunk=code.replace("affine=True, bias=True", "affine=True"),  # older torch has no such bias
            imports="".join(f"{line}\n" for line in imports),
            adapted=lines,
            mean=self.mean,
            std=self.std,
            shape=shape,
        )


def _image_role(facts: DataFacts) -> str:
    roles = [role for role, kind in facts.kinds.items() if kind == "image"]
    if not roles:
        raise ConfigError(
            Fault("model=cnn", "needs images, and this data has vectors.", "Choose a model for those: model=mlp.")
        )
    return roles[0]


def _require_size(shape: tuple[int, ...], blocks: int) -> None:
    _, height, width = shape
    most = min(height, width).bit_length() - 1
    if blocks > most:
        raise ConfigError(
            Fault("model.channels", f"has {blocks} blocks, each halves the image, and images are {height} x {width}.",
                  f"Name at most {most}.")
        )  # fmt: skip
