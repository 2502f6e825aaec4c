from __future__ import annotations

import numpy as np
import pytest

from data.examples import batching, texts
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.batch.packed import Packed, layout
from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError

PAD = {"text": 0, "text:answer": 0}


def columns(rows: int = 40) -> Columns:
    """Row ``r`` holds ``r + 1`` only; its last token is an answer's."""
    plain = texts(rows)
    column = plain["text"]
    assert isinstance(column, Ragged)
    marks = [[0] * (int(length) - 1) + [1] for length in column.lengths]
    return {**plain, "text:answer": Ragged.of(marks)}


def test_every_text_stands_once_and_whole() -> None:
    made, rows = columns(), np.arange(3, 33)
    text = made["text"]
    assert isinstance(text, Ragged)
    batch = Packed(made, PAD, 32)[rows, 1.0]
    assert len(batch["text"]) < len(rows) and batch["text"].shape == batch["text_mask"].shape
    assert batch["row"].tolist() == rows.tolist() and (batch["samples"], batch["scale"]) == (30, 1.0)
    for row in rows:
        here = batch["text"] == int(row) + 1
        assert int(here.sum()) == text.lengths[row] and len(here.any(1).nonzero()) == 1
        assert batch["text:place"][here].tolist() == list(range(int(text.lengths[row])))
        assert batch["text:answer"][here].tolist() == [0] * (int(text.lengths[row]) - 1) + [1]
    assert int(batch["text_mask"].sum()) == batch["tokens"] == text.lengths[rows].sum()
    assert batch["text_mean"] * len(batch["text"]) == pytest.approx(batch["tokens"])
    assert not batch["text"][~batch["text_mask"]].any() and not batch["text:place"][~batch["text_mask"]].any()


def test_there_is_little_padding() -> None:
    made, rows = columns(), np.arange(40)
    packed, plain = Packed(made, PAD, 64), Gather(made, PAD)
    assert packed.cells((rows, 1.0)) == packed[rows, 1.0]["text"].numel()
    assert packed.cells((rows, 1.0)) < 0.6 * plain[rows, 1.0]["text"].numel()


def test_the_longest_are_placed_first_and_none_is_cut() -> None:
    row, start = layout(np.array([2, 9, 3, 5, 40]), 10)
    assert list(zip(row.tolist(), start.tolist(), strict=True)) == [(2, 8), (1, 0), (2, 5), (2, 0), (0, 0)]


def test_a_filler_counts_nothing() -> None:
    batch = Packed(columns(), PAD, 32)[np.array([0]), 0.0]
    assert (batch["samples"], batch["tokens"], batch["scale"]) == (0, 0, 0.0)


def test_training_alone_is_packed_and_sees_each_row_once() -> None:
    splits = {"train": columns(), "validation": columns(10)}
    batches = Batches(splits, batching(8, packing=True, max_length=32), PAD, seed=0)
    seen = [batch["row"].tolist() for batch in batches.train_dataloader()]
    assert [len(rows) for rows in seen] == [8] * 5 and sorted(np.concatenate(seen)) == list(range(40))
    held = next(iter(batches.val_dataloader()))
    assert isinstance(held, dict) and len(held["text"]) == 8 and "text:place" not in held


def test_rows_of_two_texts_are_refused() -> None:
    two = {**columns(), "other": columns()["text"]}
    with pytest.raises(ConfigError, match=r"data.packing=true .*has 2 of its own"):
        Packed(two, {**PAD, "other": 0}, 32)
