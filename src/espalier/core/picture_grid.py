"""Images as one picture for a report; apart from ``core.exhibits``, which is read where nothing is drawn."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from espalier.core.exhibits import Pictures


def grid(
    title: str, images: npt.NDArray[np.uint8], *, columns: int = 0, note: str = "", texts: bool = False
) -> Pictures:
    """Images (N, C, H, W) of one or three channels side by side, a pixel of space between; 0 columns: a square."""
    number, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(number))
    rows = math.ceil(number / columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        canvas[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(canvas.squeeze(-1) if channels == 1 else canvas).save(file, "PNG")
    return Pictures(title, base64.b64encode(file.getvalue()).decode(), canvas.shape[1], note, texts)
