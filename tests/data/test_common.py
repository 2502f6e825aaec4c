from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from data.examples import COMMON, TEXT
from espalier.core.errors import DataError
from espalier.core.facts import Kind, Raw
from espalier.data.common import Source, TableData, natural_order


class Given(TableData):
    """A user's data option, with nothing but the rows."""

    kinds: ClassVar[Mapping[str, Kind]] = {"text": "text", "label": "label"}

    def __init__(self, source: Source, **changed: Any) -> None:
        super().__init__(columns=TEXT, **{**COMMON, **changed})
        self.source = source

    def tables(self) -> Source:
        return self.source


def rows(count: int, classes: int = 2) -> dict[str, list[str]]:
    return {"text": [f"text {i}" for i in range(count)], "label": [f"c{i % classes}" for i in range(count)]}


def read(source: Source, **changed: Any) -> Raw:
    return Given(source, **changed).read()


def test_labels_are_indices_into_names() -> None:
    raw = read(Source({"train": rows(40, 3)}, "here"))
    assert raw.labels == {"": ("c0", "c1", "c2")}
    assert raw.splits["train"]["label"].to_pylist() == [int(t[5:]) % 3 for t in raw.splits["train"]["text"].to_pylist()]
    assert raw.splits["train"]["row"].to_pylist() == [int(t[5:]) for t in raw.splits["train"]["text"].to_pylist()]


@pytest.mark.parametrize("limit", [None, 5, 1000])
def test_no_row_is_lost_in_silence(limit: int | None) -> None:
    source = Source({"train": rows(40), "test": rows(7)}, "here", dropped={"train": {"empty": 3}})
    raw = read(source, limit=limit)
    for split, counts in raw.counts.items():
        assert counts.read == counts.kept + sum(counts.dropped.values())
        assert counts.kept == raw.splits[split].num_rows
    assert sum(counts.read for counts in raw.counts.values()) == 40 + 3 + 7
    assert raw.counts["train"].dropped["empty"] == 3


def test_split_of_which_every_row_was_dropped_is_still_counted() -> None:
    empty: dict[str, list[str]] = {"text": [], "label": []}
    raw = read(Source({"train": rows(40), "test": empty}, "here", dropped={"test": {"empty": 2}}))
    assert "test" not in raw.splits
    assert (raw.counts["test"].read, raw.counts["test"].kept) == (2, 0)


def test_fingerprint_is_of_the_rows_and_stays_the_same() -> None:
    first = read(Source({"train": rows(40)}, "here")).fingerprint
    assert first == read(Source({"train": rows(40)}, "elsewhere"), batch_size=4).fingerprint
    other = rows(40)
    other["text"][17] += "!"
    relabelled = rows(40)
    relabelled["label"][0], relabelled["label"][1] = "c1", "c0"
    changed = [
        read(Source({"train": other}, "here")), read(Source({"train": relabelled}, "here")),
        read(Source({"train": rows(40)}, "here"), limit=10),
        read(Source({"train": rows(40)}, "here", numbers={"train": range(1, 41)})),
        read(Source({"train": rows(40)}, "here"), split={"validation": 0.3}),
    ]  # fmt: skip
    assert len({first, *(raw.fingerprint for raw in changed)}) == 6


def test_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="one class only in training: 'c0'"):
        read(Source({"train": rows(20, 1)}, "here"))


def test_limit_that_leaves_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="one class only"):
        read(Source({"train": rows(40)}, "here"), limit=1)


def test_label_that_training_lacks_is_named_with_its_rows() -> None:
    strange = {"text": ["a", "b", "c"], "label": ["c0", "c9", "C1"]}
    with pytest.raises(DataError) as caught:
        read(Source({"train": rows(20), "validation": strange}, "here", numbers={"validation": [2, 3, 5]}))
    assert "the validation rows  have labels that training lacks: 'c9' (row 3), 'C1' (row 5)" in str(caught.value)
    assert "'c0', 'c1'" in str(caught.value)


def test_nothing_to_validate_on_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.split.validation=0.0 .*no rows to validate on"):
        read(Source({"train": rows(20)}, "here"), split={"validation": 0.0})


def test_nothing_to_train_on_is_refused() -> None:
    empty: dict[str, list[str]] = {"text": [], "label": []}
    with pytest.raises(DataError, match="here  has no rows to train on"):
        read(Source({"train": empty, "validation": rows(4)}, "here"))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(DataError, match="unequal numbers of values in its train rows: 3 of text, 2 of label"):
        read(Source({"train": {"text": ["a", "b", "c"], "label": ["x", "y"]}}, "here"))


def test_images_become_fixed_size_lists_of_bytes() -> None:
    pixels = np.arange(40 * 4, dtype=np.uint8).reshape(40, 2, 2)
    raw = read(Source({"train": {"image": pixels, "label": ["0", "1"] * 20}}, "here", shape=(1, 2, 2)))
    first = int(raw.splits["train"]["row"][0].as_py())
    assert raw.splits["train"]["image"][0].as_py() == pixels[first].ravel().tolist()
    assert raw.shape == (1, 2, 2)


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        ({"10", "9", "2"}, ("2", "9", "10")),
        ({"b", "a"}, ("a", "b")),
        ({"1.0", "1", "0"}, ("0", "1", "1.0")),
        ({"nan", "2", "10", "1"}, ("1", "10", "2", "nan")),
    ],
)
def test_natural_order(names: set[str], ordered: tuple[str, ...]) -> None:
    assert natural_order(names) == ordered
