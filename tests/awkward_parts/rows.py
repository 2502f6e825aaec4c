"""Data made up on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from annotated_types import Ge

from espalier.core.facts import Counts, Kind, Raw
from espalier.core.parts import Batching
from espalier.data.base import AbstractData

Rows = Mapping[str, Any]


class Made(AbstractData):
    """Rows by number; a subclass says what a row holds."""

    kinds: Mapping[str, Kind]
    labels: Mapping[str, tuple[str, ...]] = {}
    shape: tuple[int, ...] = ()

    def __init__(self, *, rows: Annotated[int, Ge(1)], batch_size: Annotated[int, Ge(1)]) -> None:
        self.rows, self.batch_size = rows, batch_size

    @property
    def batching(self) -> Batching:
        return Batching(self.batch_size, self.batch_size, num_workers=0, bucket=False, max_length=16)

    def read(self) -> Raw:
        splits = {split: self.table(self.rows, seed) for seed, split in enumerate(("train", "validation", "test"))}
        counts = {split: Counts(self.rows, self.rows) for split in splits}
        return Raw(splits, self.kinds, self.labels, counts, f"{type(self).__name__}{self.rows}", "made up", self.shape)

    def table(self, rows: int, seed: int) -> pa.Table:
        raise AssertionError


class Ring(Made):
    """Points on a circle."""

    kinds: ClassVar = {"vector": "vector"}
    shape = (2,)

    def table(self, rows: int, seed: int) -> pa.Table:
        angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, rows)
        points = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
        return pa.table({"row": np.arange(rows), "vector": pa.FixedSizeListArray.from_arrays(points.ravel(), 2)})


class TwoSources(Made):
    """Points whose sign is asked for in one source, and whose quadrant in the other."""

    kinds: ClassVar = {"vector": "vector", "label": "label", "source": "id"}
    labels: ClassVar = {"sign": ("negative", "positive"), "quadrant": ("I", "II", "III", "IV")}
    shape = (2,)

    def table(self, rows: int, seed: int) -> pa.Table:
        points = np.random.default_rng(seed).normal(size=(rows, 2)).astype(np.float32)
        source = np.arange(rows) % 2
        sign, quadrant = points[:, 0] > 0, (points[:, 1] < 0) * 2 + (points[:, 0] < 0)
        return pa.table(
            {
                "row": np.arange(rows),
                "vector": pa.FixedSizeListArray.from_arrays(points.ravel(), 2),
                "label": np.where(source == 0, sign, quadrant).astype(np.int64),
                "source": source.astype(np.int64),
            }
        )


class Spelled(Made):
    """Numbers in words, and the same in another language."""

    kinds: ClassVar = {"source": "text", "target": "text"}

    def table(self, rows: int, seed: int) -> pa.Table:
        english, german = ["one", "two", "three", "four", "five"], ["eins", "zwei", "drei", "vier", "fünf"]
        drawn = np.random.default_rng(seed).integers(0, 5, (rows, 3))
        said = {"source": english, "target": german}
        texts = {role: [" ".join(words[i] for i in row) for row in drawn] for role, words in said.items()}
        return pa.table({"row": np.arange(rows), **texts})
