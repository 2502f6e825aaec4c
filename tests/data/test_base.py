from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.examples import batching, texts
from espalier.core.facts import Counts, DataFacts, Raw
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


def test_batches_come_with_the_base() -> None:
    source = Pairs()
    facts = DataFacts.of(source.read()).learn(pad={"text": 7})
    columns = {**texts(10), "source": np.arange(10) % 2}
    batches = source.batches({"train": columns}, facts, seed=0, world_size=1, accumulate=2)
    assert batches.steps_per_epoch == 3
    batch = next(iter(batches.train_dataloader()))
    assert (batch["source"] == batch["row"] % 2).all()
    assert (batch["text"][~batch["text_mask"]] == 7).all()
