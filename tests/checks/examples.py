"""Small data with known faults, for tests of what checking finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from espalier.core.facts import Raw

NAMES = ("bad", "good")


def texts(**splits: Sequence[tuple[str, int]]) -> Raw:
    """``texts(train=[("fine", 1)], test=…)``; rows are numbered from 10."""
    tables = {
        split: pa.table(
            {
                "row": pa.array(range(10, 10 + len(rows)), pa.int64()),
                "text": pa.array([text for text, _ in rows], pa.string()),
                "label": pa.array([label for _, label in rows], pa.int64()),
            }
        )
        for split, rows in splits.items()
    }
    return Raw(tables, {"text": "text", "label": "label"}, {"": NAMES}, {}, "", "made here")


def vectors(values: npt.NDArray[np.float32], labels: Sequence[int], names: tuple[str, ...] = NAMES) -> Raw:
    """One split of vectors; ``values`` is (rows, features)."""
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    rows = pa.array(range(len(values)), pa.int64())
    table = pa.table({"row": rows, "vector": column, "label": pa.array(list(labels), pa.int64())})
    kinds = {"vector": "vector", "label": "label"}
    return Raw({"train": table}, kinds, {"": names}, {}, "", "made here", (values.shape[1],))  # type: ignore[arg-type]
