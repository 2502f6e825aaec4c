from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from espalier.core.picture_grid import grid


def test_a_grid_has_every_image_in_its_place() -> None:
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(3, 1) * 10
    found = grid("samples", images, columns=2)
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.png))))
    assert found.width == 3 and drawn.shape == (5, 3, 3)
    assert drawn[::2, ::2, 0].tolist() == [[0, 10], [20, 30], [40, 255]]
