from __future__ import annotations

from time import process_time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espalier.core.errors import DataError
from espalier.data.split import cut, thin


def table(labels: list[int]) -> pa.Table:
    return pa.table({"row": np.arange(len(labels)), "label": labels})


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=80),
    shares=st.tuples(st.floats(0, 0.49), st.floats(0, 0.49)),
)
def test_each_row_lands_in_one_split_and_every_class_is_trained(labels: list[int], shares: tuple[float, float]) -> None:
    splits = cut({"train": table(labels)}, {"validation": shares[0], "test": shares[1]}, by="label")
    rows = [row for part in splits.values() for row in part["row"].to_pylist()]
    assert sorted(rows) == list(range(len(labels)))
    assert set(splits["train"]["label"].to_pylist()) == set(labels)


def test_classes_keep_their_shares() -> None:
    splits = cut({"train": table([0] * 800 + [1] * 200)}, {"validation": 0.1, "test": 0.2}, by="label")
    counts = {split: np.bincount(part["label"].to_numpy()).tolist() for split, part in splits.items()}
    assert counts == {"train": [560, 140], "validation": [80, 20], "test": [160, 40]}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=60), st.floats(0, 0.9))
def test_of_any_number_of_labels_each_is_trained(hot: list[list[bool]], share: float) -> None:
    labels = np.asarray(hot, np.uint8)
    rows = pa.table({"row": np.arange(len(hot)), "label": pa.FixedSizeListArray.from_arrays(labels.ravel(), 3)})
    splits = cut({"train": rows}, {"validation": share}, by="label")
    assert sorted(row for part in splits.values() for row in part["row"].to_pylist()) == list(range(len(hot)))
    assert np.any(splits["train"]["label"].to_pylist(), axis=0).tolist() == labels.any(0).tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_rows_of_one_text_stay_together(texts: list[str], validation: float, test: float) -> None:
    rows = pa.table({"row": np.arange(len(texts)), "text": texts})

    def together() -> dict[str, pa.Table]:
        return cut({"train": rows}, {"validation": validation, "test": test}, by=None, together="text")

    if len(set(texts)) < 3:
        with pytest.raises(DataError, match=r"asks for 3 splits, and there are [12] groups of rows that stay together"):
            together()
        return
    splits = together()
    assert sorted(row for part in splits.values() for row in part["row"].to_pylist()) == list(range(len(texts)))
    assert sum(len(set(part["text"].to_pylist())) for part in splits.values()) == len(set(texts))
    assert all(part.num_rows for part in splits.values()) and len(splits) == 3


def test_a_large_text_does_not_make_a_split_much_larger_than_its_share() -> None:
    texts = ["one"] * 500 + [str(i % 50) for i in range(500)]
    rows = pa.table({"row": np.arange(1000), "text": texts})
    splits = cut({"train": rows}, {"validation": 0.1, "test": 0.1}, by=None, together="text")
    assert {split: part.num_rows for split, part in splits.items()} == {"train": 800, "validation": 100, "test": 100}


def test_texts_that_stay_together_have_about_their_shares() -> None:
    texts = [str(i % 200) for i in range(1000)]
    rows = pa.table({"row": np.arange(1000), "text": texts})
    splits = cut({"train": rows}, {"validation": 0.1, "test": 0.2}, by=None, together="text")
    assert {split: part.num_rows for split, part in splits.items()} == {"train": 700, "validation": 100, "test": 200}


def test_of_very_many_texts_the_time_is_not_that_of_their_pairs() -> None:
    texts = [str(i // 2) for i in range(60_000)]
    rows = pa.table({"row": np.arange(60_000), "text": texts})
    began = process_time()
    splits = cut({"train": rows}, {"validation": 0.3, "test": 0.3}, by=None, together="text")
    assert process_time() - began < 5  # pairs of them took half a minute
    assert [splits[split].num_rows for split in ("train", "validation", "test")] == [24_000, 18_000, 18_000]


def test_splits_of_the_source_are_left_alone() -> None:
    given_splits = {"test": table([0, 1]), "train": table([0, 1] * 10), "validation": table([1])}
    splits = cut(given_splits, {"validation": 0.5, "test": 0.5}, by="label")
    assert list(splits) == ["train", "validation", "test"]
    assert all(splits[name] is part for name, part in given_splits.items())
    assert cut({"train": (rows := table([0, 1]))}, {"validation": 0.0}, by="label") == {"train": rows}


def test_shares_that_leave_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="leaves no rows to train on"):
        cut({"train": table([0, 1] * 5)}, {"validation": 0.5, "test": 0.5}, by="label")


def test_thin_chooses_at_random_once_and_for_all_in_the_old_order() -> None:
    chosen = thin(table([0] * 100), 10)["row"].to_pylist()
    assert chosen == sorted(chosen) == thin(table([0] * 100), 10)["row"].to_pylist()
    assert len(set(chosen)) == 10 and chosen != list(range(10))
    assert thin(table([0] * 5), 10).num_rows == thin(table([0] * 5), None).num_rows == 5


def test_of_running_text_the_first_rows_are_kept() -> None:
    assert thin(pa.table({"row": range(50)}), 5, running=True)["row"].to_pylist() == [0, 1, 2, 3, 4]
