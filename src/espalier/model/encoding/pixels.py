"""``model/encoding=pixels``: images and vectors as numbers, with the mean and deviation of the training split."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.columns import Columns
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.core.files import read_json

_PART = 1024  # rows


class Pixels:
    """Leaves images as bytes and vectors as they are; learns one mean and one deviation for the model to normalise by.

    Attributes:
        mean, std: of all pixels (0 to 255) or features of the training split.
    """

    costs_nothing: ClassVar[bool] = True

    reads: ClassVar[tuple[str, ...]] = ("image", "vector")

    def __init__(self, facts: DataFacts, /) -> None:
        self.roles = tuple(role for role, kind in facts.kinds.items() if kind in ("image", "vector"))
        if not self.roles:
            raise ConfigError(
                Fault("model/encoding=pixels", "needs images or vectors, and this data has texts.",
                      "Choose a model for texts, for instance model=minilm or model=lstm.")
            )  # fmt: skip
        self.shape = facts.shape
        self.mean, self.std = 0.0, 1.0

    def fit(self, raw: Raw, /) -> None:
        """Mean and deviation of the training split."""
        values = [_dense(raw.splits["train"], role) for role in self.roles]
        count = sum(array.size for array in values)
        self.mean = sum(_total(array, lambda part: part) for array in values) / count
        squares = sum(_total(array, lambda part: (part - self.mean) ** 2) for array in values)
        self.std = math.sqrt(squares / count) or 1.0

    def apply(self, table: pa.Table, /) -> Columns:
        """Dense arrays of shape (rows, *shape)."""
        return {role: _dense(table, role).reshape(table.num_rows, *self.shape) for role in self.roles}

    def facts(self) -> Mapping[str, Any]:
        """Nothing beyond the shape that reading told."""
        return {}

    def fingerprint(self) -> str:
        """Of the shape: ``apply`` does not depend on what was learned."""
        return hashlib.sha256(f"pixels {self.roles} {self.shape}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``pixels.json``: mean, std, shape."""
        content = {"mean": self.mean, "std": self.std, "shape": list(self.shape)}
        (folder / "pixels.json").write_text(json.dumps(content) + "\n")

    def load(self, folder: Path, /) -> None:
        """Mean, std and shape of ``pixels.json``."""
        content = read_json(folder / "pixels.json")
        self.mean, self.std, self.shape = content["mean"], content["std"], tuple(content["shape"])


def _dense(table: pa.Table, role: str) -> npt.NDArray[Any]:
    column = table[role].combine_chunks()
    flat: npt.NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(table.num_rows, -1)


def _total(values: npt.NDArray[Any], of: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]) -> float:
    # By parts: as float64 at once, a large set of bytes would take eight times its memory.
    parts = (values[start : start + _PART].astype(np.float64) for start in range(0, len(values), _PART))
    return math.fsum(float(of(part).sum()) for part in parts)
