"""Small encoded columns and the common keys of data options, for tests of several rooms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from espalier.core.columns import Columns, Ragged
from espalier.core.parts import Batching

COMMON: dict[str, Any] = {
    "batch_size": 8, "eval_batch_size": 16, "limit": None, "split": {"validation": 0.2, "test": 0.1},
    "max_length": 16, "num_workers": 0, "bucket": True,
}  # fmt: skip
TEXT = {"text": "text", "label": "label"}
FILES: dict[str, Any] = {
    **COMMON, "validation_path": None, "test_path": None, "columns": TEXT, "slices": [], "label_separator": None,
    "on_null": "error", "outside": None,
}  # fmt: skip


def texts(rows: int, seed: int = 0) -> Columns:
    """Ragged ids (row ``r`` holds ``r + 1`` only, so that it can be told), row and label."""
    lengths = np.random.default_rng(seed).integers(1, 30, rows)
    ids = [[row + 1] * int(length) for row, length in enumerate(lengths)]
    return {"row": np.arange(rows), "label": np.arange(rows) % 2, "text": Ragged.of(ids)}


def images(rows: int) -> Columns:
    """Bytes of shape (rows, 1, 4, 4), row and label."""
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 1, 4, 4), np.uint8)
    return {"row": np.arange(rows), "label": np.arange(rows) % 3, "image": pixels}


def batching(size: int, **changed: Any) -> Batching:
    """Batches of ``size`` in training and evaluation."""
    values = {"batch_size": size, "eval_batch_size": size, "num_workers": 0, "bucket": True}
    return Batching(**{**values, **changed})


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """A file with exactly these characters."""
    path.write_bytes(text.encode(encoding))
    return path
