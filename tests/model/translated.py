"""Small pairs of texts, and a model that reads one side and writes the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch

from conf.defaults import defaults_of
from espalier.core.facts import Counts, DataFacts, Raw
from espalier.model.encoder_decoder import EncoderDecoder
from espalier.model.encoding.joint_bpe import JointBpe
from model.examples import batch_of

ENGLISH = ["a dog", "The cat sees a dog.", "two cats", "a cat and the dog sleep"]
GERMAN = ["ein Hund", "Die Katze sieht einen Hund.", "zwei Katzen", "eine Katze und der Hund schlafen"]
SMALL: dict[str, Any] = {
    "encoder_layers": 2, "decoder_layers": 2, "heads": 2, "width": 8, "hidden": 12, "dropout": 0.0,
}  # fmt: skip


def sides(*, max_length: int | None = None) -> tuple[Raw, DataFacts]:
    """Three splits of pairs."""
    splits = {}
    for split, times in {"train": 4, "validation": 1, "test": 1}.items():
        texts = {"source": ENGLISH * times, "target": GERMAN * times}
        splits[split] = pa.table({"row": np.arange(4 * times), **texts})
    counts = {split: Counts(table.num_rows, table.num_rows) for split, table in splits.items()}
    raw = Raw(splits, {"source": "text", "target": "target"}, {}, counts, "", "here")
    return raw, DataFacts.of(raw, max_length=max_length)


def encoder_decoder(*, max_length: int = 32, vocab_size: int = 280, **changed: Any) -> tuple[EncoderDecoder, DataFacts]:
    """A model that knows the texts' bytes, with the facts that it was made from."""
    torch.manual_seed(0)
    raw, facts = sides(max_length=max_length)
    encoding = JointBpe(facts, vocab_size=vocab_size, min_frequency=2)
    encoding.fit(raw)
    facts = facts.learn(**encoding.facts())
    values = defaults_of("model/encoder_decoder", encoding=encoding, **{**SMALL, **changed})
    return EncoderDecoder(facts, **values), facts


def batch(model: EncoderDecoder, facts: DataFacts) -> dict[str, Any]:
    """All of the pairs."""
    return batch_of(model.encoding.apply(sides()[0].splits["test"]), facts.pad, [0, 1, 2, 3])
