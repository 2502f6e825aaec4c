"""The idx format of MNIST (http://yann.lecun.com/exdb/mnist): big-endian header, then the numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from espalier.core.errors import DataError, Fault
from espalier.core.formats import read_bytes

_UNSIGNED_BYTE = 8


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """An idx file of unsigned bytes, gzipped or not.

    Returns:
        Array of the shape that the header says.

    Raises:
        DataError: not an idx file of bytes, or cut off.
    """
    content = read_bytes(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTE:
        raise DataError(Fault(str(path), "is not an idx file of bytes (its first bytes say something else)."))
    axes = content[3]
    if len(content) < 4 + 4 * axes:
        raise DataError(Fault(str(path), "was cut off within its header.", "Fetch the file again."))
    shape = tuple(int.from_bytes(content[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes))
    body = content[4 + 4 * axes :]
    if len(body) != math.prod(shape):
        raise DataError(
            Fault(str(path), f"was cut off: {math.prod(shape):,} bytes of data promised, {len(body):,} there.",
                  "Fetch the file again.")
        )  # fmt: skip
    try:
        return np.frombuffer(body, np.uint8).reshape(shape)
    except ValueError:  # no bytes, and axes whose product numpy cannot count
        said = " x ".join(map(str, shape))
        raise DataError(
            Fault(str(path), f"has a header of a shape that is none: {said}.", "Fetch the file again.")
        ) from None
