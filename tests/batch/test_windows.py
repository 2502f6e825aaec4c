from __future__ import annotations

from typing import Any

import numpy as np

from data.examples import batching
from espalier.batch.batches import Batches
from espalier.batch.gather import Gather
from espalier.batch.windows import Windows, are_blocks
from espalier.core.columns import Columns, Ragged
from espalier.model.encoding.blocks import blocks_of

LENGTHS = {0: 100, 1: 3, 2: 41}
SIZE = 8


def columns(blocks: int = SIZE + 1) -> Columns:
    """Documents whose tokens are numbered on: 0 to 99, 200 to 202, 400 to 440."""
    rows = [list(range(200 * number, 200 * number + length)) for number, length in LENGTHS.items()]
    text, taken = blocks_of(rows, np.array([*LENGTHS]), blocks)
    return {"row": np.arange(len(text)), "document": taken, "text": text}


def epoch(number: int, seed: int = 3, **changed: Any) -> list[dict[str, Any]]:
    data = {"train": columns(), "validation": columns()}
    made = Batches(data, batching(4, windows=True, bucket=True, **changed), {"text": 0}, seed=seed)
    loader = made.train_dataloader()
    loader.sampler.set_epoch(number)
    return list(loader)


def texts(batches: list[dict[str, Any]]) -> list[list[int]]:
    return [
        ids[mask].tolist() for batch in batches for ids, mask in zip(batch["text"], batch["text_mask"], strict=True)
    ]


def test_windows_are_running_text_of_one_document() -> None:
    for number in range(9):
        found = texts(epoch(number))
        assert len(found) == len(columns()["row"])
        for text in found:
            assert text == list(range(text[0], text[0] + len(text)))
            assert len(text) == SIZE + 1 or text[-1] in (99, 202, 440)
        told = [token for text in found for token in text[1:]]
        for first, length in ((0, 100), (200, 3), (400, 41)):
            assert set(range(first + 1, first + length - SIZE)) <= set(told)


def test_they_begin_elsewhere_in_each_epoch_and_the_same_again() -> None:
    begins = [sorted(text[0] for text in texts(epoch(number))) for number in range(6)]
    assert len({tuple(one) for one in begins}) > 2
    for mine, again in zip(epoch(4), epoch(4), strict=True):
        assert mine["text"].tolist() == again["text"].tolist() and mine["row"].tolist() == again["row"].tolist()
    assert texts(epoch(4)) != texts(epoch(4, seed=4))


def test_a_resumed_epoch_goes_on_with_the_same_windows() -> None:
    whole = texts(epoch(2))
    made = Batches({"train": columns()}, batching(4, windows=True), {"text": 0}, seed=3)
    loader = made.train_dataloader()
    loader.load_state_dict({"epoch": 2, "position": 1})
    loader.sampler.set_epoch(2)
    assert texts(list(loader)) == whole[4:]


def test_workers_make_the_same_windows() -> None:
    assert texts(epoch(1, num_workers=2)) == texts(epoch(1))


def test_evaluation_has_the_blocks() -> None:
    made = Batches({"train": columns(), "validation": columns()}, batching(4, windows=True), {"text": 0}, seed=0)
    blocks = columns()["text"]
    assert isinstance(blocks, Ragged)
    found = {tuple(text) for text in texts(list(made.val_dataloader()))}
    assert found == {tuple(blocks[i].tolist()) for i in range(len(blocks))}


def test_counts_are_those_of_the_windows() -> None:
    for batch in epoch(3):
        assert batch["tokens"] == int(batch["text_mask"].sum()) and batch["samples"] == len(batch["row"])
    gather = Windows(columns(), {"text": 0})
    request = (np.array([0, 1]) * SIZE + 5, 0.0)
    assert (gather[request]["tokens"], gather[request]["row"].tolist()) == (0, [-1, -1])
    assert gather.cells(request) == 2 * (SIZE + 1)
    loader = Batches({"train": columns()}, batching(4, windows=True), {"text": 0}, seed=3).train_dataloader()
    assert loader.largest()[0]["text"].shape == (4, SIZE + 1)


def test_rows_that_are_no_blocks_are_left_as_they_are() -> None:
    rows: Columns = {"row": np.arange(3), "document": np.zeros(3, np.int64), "text": Ragged.of([[1, 2], [3], [4, 5]])}
    assert not are_blocks(rows) and are_blocks(columns())
    assert not are_blocks({"row": np.arange(3), "text": Ragged.of([[1, 2], [2], [2, 5]])})
    made = Batches({"train": rows}, batching(3, windows=True), {"text": 0}, seed=0)
    assert type(made.train_dataloader()._gather) is Gather
    assert sorted(texts(list(made.train_dataloader()))) == [[1, 2], [3], [4, 5]]


def test_single_tokens() -> None:
    alone: Columns = {"row": np.arange(2), "document": np.array([0, 1]), "text": Ragged.of([[1], [2]])}
    made = Batches({"train": alone}, batching(3, windows=True), {"text": 0}, seed=0)
    assert sorted(texts(list(made.train_dataloader()))) == [[1], [2]]
