"""``data=digits``: handwritten digits as 64 numbers each; they come with scikit-learn, so they are always there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import ClassVar, Unpack

import numpy as np

from espalier.core.errors import DataError, Fault
from espalier.core.facts import Kind
from espalier.data.common import Common, Source, TableData

_PACKAGE = "scikit-learn"
_FILE = "sklearn/datasets/data/digits.csv.gz"


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
        """Read the file that scikit-learn brings, without loading scikit-learn. Raises ``DataError``."""
        rows = np.loadtxt(_file(), delimiter=",", dtype=np.float32)
        labels = [str(digit) for digit in rows[:, -1].astype(int).tolist()]
        return Source({"train": {"vector": rows[:, :-1], "label": labels}}, _PACKAGE, shape=(rows.shape[1] - 1,))


def _file() -> Path:
    try:
        found = Path(str(distribution(_PACKAGE).locate_file(_FILE)))
    except PackageNotFoundError:
        found = Path(_FILE)
    if not found.is_file():
        raise DataError(Fault("data=digits", f"comes with {_PACKAGE}, which lacks it here.", f"pip install {_PACKAGE}"))
    return found
