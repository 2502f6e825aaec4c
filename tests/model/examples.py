"""Small raw data for encodings and backbones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from espalier.batch.gather import Gather
from espalier.core.columns import Columns
from espalier.core.facts import Counts, DataFacts, Kind, Raw

SENTENCES = ["The cat sat, quietly.", "A dog!", "cats and DOGS and birds", "the bird sat on the cat"]


def of(columns: Mapping[str, Any], kinds: Mapping[str, Kind], shape: tuple[int, ...] = ()) -> Raw:
    """One split, ``train``."""
    table = pa.table({"row": np.arange(len(next(iter(columns.values())))), **columns})
    counts = {"train": Counts(table.num_rows, table.num_rows)}
    return Raw({"train": table}, {**kinds, "label": "label"}, {"": ("a", "b")}, counts, "f", "here", shape)


def sentences(*, max_length: int | None = None, texts: list[str] | None = None) -> tuple[Raw, DataFacts]:
    """Texts with two labels."""
    texts = SENTENCES if texts is None else texts
    raw = of({"text": texts, "label": [0, 1] * (len(texts) // 2)}, {"text": "text"})
    return raw, DataFacts.of(raw, max_length=max_length)


def pairs(firsts: list[str], seconds: list[str], *, max_length: int | None = None) -> tuple[Raw, DataFacts]:
    """Pairs of texts, a row each."""
    columns = {"text": firsts, "text_pair": seconds, "label": [0] * len(firsts)}
    raw = of(columns, {"text": "text", "text_pair": "text"})
    return raw, DataFacts.of(raw, max_length=max_length)


def vectors(values: np.ndarray[Any, Any], kind: Kind, shape: tuple[int, ...]) -> tuple[Raw, DataFacts]:
    """Images or vectors, a row each."""
    flat = values.reshape(len(values), -1)
    column = pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])
    raw = of({kind: column, "label": [0] * len(values)}, {kind: kind}, shape)
    return raw, DataFacts.of(raw)


def batch_of(columns: Columns, pad: Mapping[str, int], rows: list[int]) -> dict[str, Any]:
    """A batch as the data room makes it."""
    dense = {name: column for name, column in columns.items() if name != "truncated"}
    return Gather({"row": np.arange(99), **dense}, pad)[np.array(rows), 1.0]


def run_recipe(recipe: str, folder: Path) -> dict[str, Any]:
    """The names that a recipe's lines define, run in the folder that holds the files."""
    names: dict[str, Any] = {}
    with chdir(folder):
        exec(compile(recipe, "recipe", "exec"), names)
    return names
