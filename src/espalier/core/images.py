"""Images as arrays of bytes of one shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from espalier.core.errors import DataError, Fault

Pixels = npt.NDArray[np.uint8]
BROKEN = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises of files that are no whole images."""

_FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")  # PostScript would be a program to run
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # more than 8 bits a pixel
_GREY = ("1", "L", "LA", *_DEEP)
_WHITE = (255, 255, 255, 255)


def opened(value: Any) -> Image.Image:
    """An image from its file, or from what a table holds: one already, its bytes, or a mapping (``bytes``, ``path``).

    Raises:
        OSError: it is broken, or none of these.
    """
    if isinstance(value, Image.Image):
        return value
    content = value.get("bytes") or value.get("path") if isinstance(value, Mapping) else value
    if not isinstance(content, bytes | str | Path):
        raise OSError("it is no image")
    return Image.open(BytesIO(content) if isinstance(content, bytes) else content, formats=_FORMATS)


class Shaper:
    """Images -> (channels, height, width), all alike.

    Args:
        size: (height, width) to resize to; None: as the images are, which must then have one size.
        channels: 1 (grey) or 3 (red, green, blue); None: 3 if any image has colours, else 1.
    """

    def __init__(self, size: Sequence[int] | None, channels: int | None) -> None:
        self.size, self.channels = tuple(size) if size else None, channels
        self._given, self._seen = size is not None, 0

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width) of the images so far; of no images, empty."""
        channels = self.channels or self._seen
        return (channels, *self.size) if channels and self.size else ()

    def __call__(self, image: Image.Image, where: Callable[[], str]) -> Pixels:
        """The pixels of an image, turned as its EXIF says; a grey one has 1 channel unless 3 are asked for.

        Raises:
            DataError: no size was given, and it has another one than those before.
            OSError: it is broken.
        """
        image = ImageOps.exif_transpose(image)
        channels = self.channels or (1 if image.mode in _GREY else 3)
        self._seen = max(self._seen, channels)
        if self.size is None:
            self.size = (image.height, image.width)
        if not self._given and (image.height, image.width) != self.size:
            found, before = f"{image.height} x {image.width}", f"{self.size[0]} x {self.size[1]}"
            truth = f"is {found}, and images before it are {before} (height x width)."
            raise DataError(Fault(where(), truth, f"Set one size for all:  data.size=[{self.size[0]},{self.size[1]}]"))
        image = _plain(image).convert("L" if channels == 1 else "RGB")
        if (image.height, image.width) != self.size:
            image = image.resize((self.size[1], self.size[0]), Image.Resampling.BILINEAR, reducing_gap=2.0)
        pixels: Any = np.asarray(image, np.uint8)
        return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def stacked(self, images: Sequence[Pixels] | Pixels) -> Pixels:
        """Images that were shaped here as one array, (images, *shape): a grey one among colours has them all alike."""
        if isinstance(images, np.ndarray) and images.shape[1:] == self.shape:
            return images
        whole = np.empty((len(images), *self.shape), np.uint8)
        for row, image in enumerate(images):
            whole[row] = image
        return whole


def _plain(image: Image.Image) -> Image.Image:
    """Of 8 bits, and opaque: what can be seen through stands before white."""
    if image.mode in _DEEP:  # Pillow would clip these at 255
        values = np.asarray(image, np.float64)
        tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (65535.0,)
        top = next((top for top in tops if values.max(initial=0) <= top), tops[-1])
        return Image.fromarray((values.clip(0, top) * (255.0 / top)).round().astype(np.uint8))
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _WHITE), seen)
    return image
