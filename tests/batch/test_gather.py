from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from data.examples import images, texts
from espalier.batch.gather import Gather
from espalier.core.columns import Ragged


def test_how_many_tokens_a_row_has_is_told_of_the_whole_batch() -> None:
    gather = Gather({"row": np.arange(3), "text": Ragged.of([[5, 6], [7], [8, 9, 10, 11]])}, {"text": 99})
    rows = np.array([0, 2])
    assert gather[rows, 1.0]["text_mean"] == gather[rows[:1], 1.0, rows]["text_mean"] == 3.0


def test_texts_are_padded_to_the_longest_of_the_batch() -> None:
    columns = {"row": np.arange(3), "text": Ragged.of([[5, 6], [7], [8, 9, 10, 11]])}
    batch = Gather(columns, {"text": 99})[np.array([1, 0]), 1.0]
    assert batch["text"].tolist() == [[7, 99], [5, 6]]
    assert batch["text_mask"].tolist() == [[True, False], [True, True]]
    assert batch["text"].dtype == torch.int64
    assert (batch["samples"], batch["tokens"], batch["scale"]) == (2, 3, 1.0)


def test_real_token_equal_to_the_padding_is_no_padding() -> None:
    batch = Gather({"row": np.arange(1), "text": Ragged.of([[0, 4, 0]])}, {"text": 0})[np.array([0]), 1.0]
    assert batch["text_mask"].all()


def test_two_text_columns_have_their_own_lengths_and_padding() -> None:
    columns = {"row": np.arange(2), "source": Ragged.of([[1], [2, 3]]), "target": Ragged.of([[4, 5, 6], [7]])}
    batch = Gather(columns, {"source": 0, "target": -100})[np.array([0, 1]), 1.0]
    assert batch["source"].tolist() == [[1, 0], [2, 3]]
    assert batch["target"].tolist() == [[4, 5, 6], [7, -100, -100]]
    assert batch["tokens"] == 7


def test_images_stay_bytes_and_labels_become_int64() -> None:
    columns = {**images(6), "label": np.arange(6, dtype=np.int32)}
    batch = Gather(columns, {})[np.array([4, 2]), 1.0]
    assert (batch["image"].dtype, tuple(batch["image"].shape)) == (torch.uint8, (2, 1, 4, 4))
    assert (batch["label"].dtype, batch["label"].tolist()) == (torch.int64, [4, 2])
    assert batch["tokens"] == 0


def test_float_columns_stay_as_they_are() -> None:
    vectors = np.eye(3, dtype=np.float32)
    batch = Gather({"row": np.arange(3), "vector": vectors}, {})[np.array([2]), 1.0]
    assert batch["vector"].tolist() == [[0, 0, 1]]


def test_filler_has_no_samples_and_no_row() -> None:
    batch = Gather(texts(5), {"text": 0})[np.array([3]), 0.0]
    assert (batch["row"].tolist(), batch["samples"], batch["tokens"]) == ([-1], 0, 0)
    assert batch["text"].shape[0] == 1


def test_batches_are_copies_also_of_memory_mapped_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", images(4)["image"])
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    batch = Gather({"row": np.arange(4), "image": mapped}, {})[np.array([1]), 1.0]
    batch["image"].zero_()
    assert mapped[1].any()


def test_what_stands_beside_tokens_is_padded_and_is_no_token() -> None:
    columns = {"row": np.arange(2), "words": Ragged.of([[5], [6, 7]]), "words:tags": Ragged.of([[1, 0], [2]])}
    batch = Gather(columns, {"words": 0, "words:tags": -1})[np.array([0, 1]), 1.0]
    assert batch["words:tags"].tolist() == [[1, 0], [2, -1]] and batch["tokens"] == 3
