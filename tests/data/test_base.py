from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from data.examples import batching
from espalier.core.errors import DataError
from espalier.core.facts import Counts, Raw
from espalier.core.parts import Batching
from espalier.data.base import AbstractData


class Pairs(AbstractData):
    """A user's data that is no table with one label column: rows of two sources."""

    @property
    def batching(self) -> Batching:
        return batching(4)

    def read(self) -> Raw:
        table = pa.table({"row": np.arange(10), "source": np.arange(10) % 2, "text": ["a"] * 10})
        labels = {"first": ("x", "y"), "second": ("p", "q", "r")}
        return Raw({"train": table}, {"text": "text"}, labels, {"train": Counts(10, 10)}, "0", "here")


class Tested(Pairs):
    def read(self) -> Raw:
        raw = super().read()
        splits = {"train": raw.splits["train"], "test": raw.splits["train"].slice(0, 3)}
        return replace(raw, splits=splits, labels={"": ("x", "y")}, counts=dict.fromkeys(splits, Counts(3, 3)))


def test_rows_for_evaluation_are_the_test_split() -> None:
    raw = Tested().rows(("x", "y"))
    assert {split: table.num_rows for split, table in raw.splits.items()} == {"test": 3} == dict.fromkeys(raw.counts, 3)
    with pytest.raises(DataError, match="has other labels than the model, which has 'p'"):
        Tested().rows(("p",))
    with pytest.raises(DataError, match="has no test rows"):
        Pairs().rows(("x", "y"))
