"""``data=cifar10``: small photographs, ten classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, ClassVar, Unpack

import numpy as np
import numpy.typing as npt
from PIL import UnidentifiedImageError

from espalier.core.bounds import Keys
from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.core.images import opened
from espalier.core.parquet import read_parquet
from espalier.data.common import Common, Source, TableData, Values
from espalier.data.named import HubSet, hub_rows, local_folder
from espalier.data.text_table import require_column

_SHAPE = (3, 32, 32)
_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_HUB = HubSet("uoft-cs/cifar10", "0b2714987fa478483af9968de7c934580d0bb9a2", columns={"image": "img", "label": "label"})


class Cifar10(TableData):
    """Krizhevsky 2009: 50,000 and 10,000 colour photographs of 32 x 32 pixels.

    ``ESPALIER_DATA=… espalier train data=cifar10 model=cnn adapter=full`` reads
    ``$ESPALIER_DATA/cifar10/{train,test}.parquet`` (or ``cifar10_jpeg``): images as bytes, in any format that Pillow
    knows. Figures on JPEG copies cannot be compared with published ones. The hub has the original.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"image": "image", "label": "label"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("image", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def tables(self) -> Source:
        """Read the parquet files, or the hub's images."""
        folder = local_folder("cifar10") or local_folder("cifar10_jpeg")
        if folder:
            splits = {split: self._local(folder / f"{split}.parquet") for split in ("train", "test")}
            return Source(splits, str(folder), shape=_SHAPE, labels=_CLASSES)
        found = hub_rows("cifar10", _HUB)
        pixels = {
            s: {**columns, "image": np.stack([*map(_pixels, columns["image"])])} for s, columns in found.splits.items()
        }
        return Source(pixels, found.origin, shape=_SHAPE, labels=_CLASSES)

    def _local(self, path: Path) -> dict[str, Values]:
        table = read_parquet(path, [str(name) for name in self.columns.values()])
        for role, name in self.columns.items():
            require_column(role, str(name), table.header, str(path))
        images = _decoded([row["bytes"] for row in table.column(str(self.columns["image"]))], path)
        labels = [_CLASSES[label] for label in table.column(str(self.columns["label"]))]
        return {"image": images, "label": labels}


def _decoded(files: Sequence[bytes], path: Path) -> npt.NDArray[np.uint8]:
    """Images of shape (rows, 3, 32, 32). Raises ``DataError`` for what is none of them."""
    pixels = np.empty((len(files), *_SHAPE), np.uint8)

    def decode(row: int) -> None:
        try:
            pixels[row] = _pixels(opened(files[row]))
        except (OSError, ValueError, UnidentifiedImageError) as error:
            raise DataError(Fault(f"{path} row {row}", f"holds no image of 32 x 32 pixels: {error}.")) from None

    with ThreadPoolExecutor() as pool:  # decoding leaves other threads free
        for _ in pool.map(decode, range(len(files))):
            pass
    return pixels


def _pixels(image: Any) -> npt.NDArray[np.uint8]:
    """(3, 32, 32)."""
    return np.asarray(image.convert("RGB"), np.uint8).transpose(2, 0, 1)
