"""``data=digits``: handwritten digits as 64 numbers each; part of scikit-learn, so that it is always there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

import numpy as np
from sklearn.datasets import load_digits

from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData


class Digits(TableData):
    """Alpaydin, Kaynak 1998 (https://doi.org/10.24432/C50P49), the test part: 1,797 digits, ten classes.

    A row is a vector of 64 features, 0 to 16: how much ink there is in each square of an 8 x 8 raster. Validation and
    test rows are cut from it.

    ``espalier train data=digits model=mlp adapter=full``
    """

    kinds: ClassVar[Mapping[str, Kind]] = {"vector": "vector", "label": "label"}

    def __init__(self, **common: Unpack[Common]) -> None:
        super().__init__(columns={}, **common)

    def tables(self) -> Source:
        """Read what scikit-learn brings."""
        found = load_digits()
        rows = {"vector": found.data.astype(np.float32), "label": [str(digit) for digit in found.target]}
        return Source({"train": rows}, "scikit-learn", shape=(found.data.shape[1],))
