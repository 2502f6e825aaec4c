"""Images that a table names by their files, or holds as such, as the pixels that a trained model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from espalier.core.home import expanded
from espalier.core.images import BROKEN, Shaper, opened


def holds_pictures(values: Sequence[Any]) -> bool:
    """Whether a column holds names of files, files, or mappings of these (``{bytes, path}``); else it holds numbers."""
    first = next((value for value in values if value is not None), None)
    return isinstance(first, str | bytes | Mapping)


class Pictures:
    """Reads images, several at a time, and brings them to the size and the colours of those of training.

    Args:
        shape: (channels, height, width) of an image in training.
        beside: the folder of the table that names them.

    Attributes:
        resized: images so far that had another size.
    """

    def __init__(self, shape: Sequence[int], beside: Path) -> None:
        self.shape, self.beside = tuple(shape), beside
        self.resized = 0
        self._shaper = Shaper(self.shape[1:], self.shape[0])

    def __call__(self, values: Sequence[Any]) -> tuple[npt.NDArray[np.uint8], dict[int, str]]:
        """Pixels, (rows, *shape); and position -> what is wrong, of those that cannot be read: they are left black.

        Args:
            values: names of files (looked for from here, then from the table's folder), their bytes, or mappings.
        """
        pixels = np.zeros((len(values), *self.shape), np.uint8)
        with ThreadPoolExecutor() as pool:  # decoding leaves other threads free
            found = list(pool.map(self._read, values))
        broken = {row: one for row, one in enumerate(found) if isinstance(one, str)}
        for row, one in enumerate(found):
            if not isinstance(one, str):
                pixels[row], other = one
                self.resized += other
        return pixels, broken

    def _read(self, value: Any) -> tuple[npt.NDArray[np.uint8], bool] | str:
        """The pixels, and whether they were resized; or what is wrong."""
        if not value or (isinstance(value, str) and not value.strip()):
            return "no image is named"
        try:
            with opened(self._found(value)) as image:
                other = (image.height, image.width) not in (self.shape[1:], self.shape[:0:-1])  # a turned one is alike
                return self._shaper(image, "it".__str__), other
        except FileNotFoundError:
            return f"{_name(value)} is not there"
        except BROKEN as error:
            said = str(error).partition("\n")[0].rstrip(".")
            return f"{_name(value)} is no whole image ({said})"

    def _found(self, value: Any) -> Any:
        """A file's name as the path under which it is there."""
        if isinstance(value, Mapping):
            content = value.get("bytes")
            return content if content else self._found(str(value.get("path") or ""))
        if not isinstance(value, str):
            return value
        here = expanded(value)
        return str(here if here.exists() else self.beside / here)


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("path")
    return value if isinstance(value, str) and value else "what stands there"
