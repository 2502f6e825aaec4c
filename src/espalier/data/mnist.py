"""``data=mnist``: handwritten digits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Unpack

import numpy as np

from espalier.core.bounds import Keys
from espalier.core.facts import Kind
from espalier.core.home import data_root
from espalier.data.common import Common, Source, TableData, Values
from espalier.data.download import from_hub
from espalier.data.idx import read_idx

_PREFIXES = {"train": "train", "test": "t10k"}
_HUB = "ylecun/mnist"
_SHAPE = (1, 28, 28)


class Mnist(TableData):
    """LeCun et al. 1998: 60,000 and 10,000 images of 28 x 28 grey pixels, ten classes.

    ``ESPALIER_DATA=… espalier train data=mnist model=mlp adapter=full`` reads ``$ESPALIER_DATA/mnist``'s idx files.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"image": "image", "label": "label"}

    def __init__(
        self, *, columns: Annotated[dict[str, str], Keys(("image", "label"))], **common: Unpack[Common]
    ) -> None:
        super().__init__(columns=columns, **common)

    def tables(self) -> Source:
        """Read the idx files, or the hub's images."""
        folder = data_root() and data_root() / "mnist"  # type: ignore[operator]
        return self._local(folder) if folder and folder.is_dir() else self._hub()

    def _local(self, folder: Path) -> Source:
        splits: dict[str, dict[str, Values]] = {}
        for split, prefix in _PREFIXES.items():
            images = read_idx(_find(folder, f"{prefix}-images-idx3-ubyte"))
            labels = read_idx(_find(folder, f"{prefix}-labels-idx1-ubyte"))
            splits[split] = {"image": images, "label": [str(v) for v in labels]}
        return Source(splits, str(folder), shape=_SHAPE)

    def _hub(self) -> Source:
        found = from_hub("mnist", _HUB)
        splits: dict[str, dict[str, Values]] = {
            split: {
                "image": np.stack([np.asarray(image) for image in found[split][self.columns["image"]]]),
                "label": [str(v) for v in found[split][self.columns["label"]]],
            }
            for split in _PREFIXES
        }
        return Source(splits, f"hub {_HUB}", shape=_SHAPE)


def _find(folder: Path, name: str) -> Path:
    zipped = folder / f"{name}.gz"
    return zipped if zipped.exists() else folder / name
