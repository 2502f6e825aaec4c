"""``model=gan``: a generator of images and the discriminator that it learns against, both from scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, MinLen
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as spectrally_normed

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.weights import as_code, save_weights
from espalier.state.frozen import SCRATCH

_SLOPE = 0.2  # of the discriminator's units below 0 (Radford et al. 2016)
_SMALLEST = 2  # pixels a side, where the generator begins: a norm needs several values of each channel
_RECIPE = """
import torch
from safetensors.torch import load_file
from torch import nn

generator = {generator}
weights = load_file("model.safetensors")
own = {{name: value for name, value in weights.items() if name.startswith("generator.")}}
generator.load_state_dict({{name.removeprefix("generator."): value for name, value in own.items()}})
generator.eval().float()


def samples(noise):  # (N, {noise}), standard normal -> pixels from 0 to 255, {shape} each
    with torch.inference_mode():
        return ((generator(noise) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
"""


class Gan(nn.Module):
    """Two networks by name: ``generator`` (noise -> image) and ``discriminator`` (image -> a number, high if real).

    Strided convolutions as in DCGAN (Radford et al. 2016, arXiv:1511.06434), for images of any size and channels. The
    discriminator has batch norm, or, with ``spectral_norm``, weights divided by their largest singular value (Miyato et
    al. 2018, arXiv:1802.05957).

    ``espalier train experiment=mnist_gan``

    As any other model it gives features of images, those of the discriminator (ibid., section 5.1): a trained one is
    probed by ``task=classification adapter=probe weights=RUN``.

    Args:
        noise: numbers that an image is made of.
        channels: of the generator's layers, each of which doubles the image's sides; the discriminator's are the same
            the other way round.
        spectral_norm: of the discriminator's weights, in place of its batch norm.

    Shapes: ``batch["image"]`` (B, C, H, W), pixels from 0 to 255 -> (B, width); ``generator`` (B, noise) -> (B, C, H,
    W) from -1 to 1; ``discriminator`` (B, C, H, W) from -1 to 1 -> (B, 1).

    Raises:
        ConfigError: the data has no images, or they are too small to be halved so often.
    """

    targets: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        noise: Annotated[int, Ge(1)],
        channels: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)],
        spectral_norm: bool,
    ) -> None:
        super().__init__()
        self.origin, self.encoding, self.shape, self.noise = SCRATCH, encoding, facts.shape, noise
        self.role = _image_role(facts)
        sizes = _sizes(facts.shape[1:], len(channels))
        self.generator = _generator(noise, [*channels, facts.shape[0]], sizes)
        self.discriminator = _discriminator([facts.shape[0], *reversed(channels)], sizes[::-1], spectral_norm)
        self.width = channels[0] * sizes[0][0] * sizes[0][1]

    @property
    def trunk(self) -> nn.Module:
        """What gives features: the discriminator."""
        return self.discriminator

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """What the discriminator's last layer sees."""
        features = self.scaled(batch[self.role])
        for layer in list(self.discriminator)[:-1]:
            features = layer(features)
        return features

    def scaled(self, images: Tensor) -> Tensor:
        """Pixels from 0 to 255 as the networks have them, from -1 to 1."""
        return images / 127.5 - 1

    def pixels(self, made: Tensor) -> Tensor:
        """The reverse, rounded: bytes."""
        return ((made.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)

    def save(self, folder: Path, /) -> None:
        """``model.safetensors``, both networks."""
        save_weights(self, folder)

    def sampling(self) -> str:
        """Plain torch that loads what ``save`` wrote and defines ``samples(noise)``."""
        generator = as_code(self.generator).replace("affine=True, bias=True", "affine=True")  # older torch has no such
        return _RECIPE.format(generator=generator, noise=self.noise, shape=self.shape)


def _generator(noise: int, channels: Sequence[int], sizes: Sequence[tuple[int, int]]) -> nn.Sequential:
    (height, width), first = sizes[0], channels[0]
    layers: list[nn.Module] = [nn.Linear(noise, first * height * width, bias=False)]
    layers.append(nn.Unflatten(1, (first, height, width)))
    for place, ((inputs, outputs), size) in enumerate(zip(pairwise(channels), sizes[1:], strict=True), 2):
        layers += [nn.BatchNorm2d(inputs), nn.ReLU()]
        bias = place == len(channels)  # no norm follows the last one, whose shift would make a bias idle
        layers.append(nn.ConvTranspose2d(inputs, outputs, _kernel(size), stride=2, padding=1, bias=bias))
    return _drawn(nn.Sequential(*layers, nn.Tanh()))


def _discriminator(channels: Sequence[int], sizes: Sequence[tuple[int, int]], spectral: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for place, ((inputs, outputs), size) in enumerate(zip(pairwise(channels), sizes[:-1], strict=True)):
        normed = not spectral and place > 0  # the first layer sees the images as they are
        layers.append(nn.Conv2d(inputs, outputs, _kernel(size), stride=2, padding=1, bias=not normed))
        layers += [nn.BatchNorm2d(outputs)] if normed else []
        layers.append(nn.LeakyReLU(_SLOPE))
    height, width = sizes[-1]
    layers += [nn.Flatten(), nn.Linear(channels[-1] * height * width, 1)]
    whole = _drawn(nn.Sequential(*layers))
    for layer in whole if spectral else ():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            spectrally_normed(layer)
    return whole


def _drawn(network: nn.Sequential) -> nn.Sequential:
    """Weights from N(0, 0.02²), as DCGAN's; biases 0."""
    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def _sizes(size: Sequence[int], layers: int) -> list[tuple[int, int]]:
    """(height, width) from the smallest to the image's: each is half of the next one, rounded up."""
    height, width = size
    sizes = [(height, width)]
    for _ in range(layers):
        sizes.insert(0, ((sizes[0][0] + 1) // 2, (sizes[0][1] + 1) // 2))
        if min(sizes[0]) < _SMALLEST:
            truth = f"has {layers} layers, each halves the image, and images are {height} x {width}."
            raise ConfigError(Fault("model.channels", truth, f"Name at most {len(sizes) - 2}."))
    return sizes


def _kernel(size: tuple[int, int]) -> tuple[int, int]:
    """Sides of the kernel between an image and its half: 4 of an even side, 3 of an odd one, with stride 2, padding 1.

    Up: 2 (n - 1) - 2 + 4 = 2 n, or 2 n - 1; down: the reverse.
    """
    height, width = (4 - side % 2 for side in size)
    return height, width


def _image_role(facts: DataFacts) -> str:
    roles = [role for role, kind in facts.kinds.items() if kind == "image"]
    if not roles:
        remedy = "Choose data of images:  data=mnist"
        raise ConfigError(Fault("model=gan", "makes images, and this data has none.", remedy))
    return roles[0]
