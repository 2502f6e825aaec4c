"""Small files in the formats of the real data sets, so that every data option runs everywhere."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

GOOD, BAD = "a warm and funny film number {}", "a dull and endless film number {}"


def write_data_root(folder: Path) -> Path:
    """A data root with ``sst2`` (three tsv files) and ``mnist`` (four idx files)."""
    for split, rows in {"train": 64, "dev": 16, "test": 16}.items():
        write_table(folder / "sst2" / f"{split}.tsv", rows, "text\tlabel")
    generator = np.random.default_rng(0)
    for split, rows in {"train": 120, "t10k": 20}.items():
        pixels = generator.integers(0, 256, (rows, 28, 28), np.uint8)
        write_idx(folder / "mnist" / f"{split}-images-idx3-ubyte.gz", pixels)
        write_idx(folder / "mnist" / f"{split}-labels-idx1-ubyte.gz", (np.arange(rows) % 10).astype(np.uint8))
    return folder


def write_table(path: Path, rows: int, header: str) -> Path:
    """A text column and a column of 0 and 1, separated as the header is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separator = "\t" if "\t" in header else ","
    lines = [f"{(BAD, GOOD)[row % 2].format(row)}{separator}{row % 2}" for row in range(rows)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def write_idx(path: Path, values: npt.NDArray[np.uint8]) -> None:
    """The idx format: two zero bytes, the type (8: unsigned byte), the axes' number and lengths, the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes()))
