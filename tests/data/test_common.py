from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from data.examples import COMMON, TEXT
from espalier.core.errors import DataError
from espalier.core.facts import Kind, Raw
from espalier.data.common import Source, TableData


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


def test_a_split_without_rows_that_lost_none_is_counted_as_such() -> None:
    empty: dict[str, list[str]] = {"text": [], "label": []}
    raw = read(Source({"train": rows(40), "test": empty}, "here"))
    assert "test" not in raw.splits
    assert (raw.counts["test"].read, raw.counts["test"].kept) == (0, 0)


def test_rows_to_evaluate_on_that_were_all_dropped_are_told() -> None:
    empty: dict[str, list[str]] = {"text": [], "label": []}
    given = Given(Source({"train": rows(40), "test": empty}, "here", dropped={"test": {"empty": 2}}))
    with pytest.raises(DataError, match=r"here  has no test rows left \(2 dropped: empty\)"):
        given.rows(("c0", "c1"))


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
    assert (
        "the validation rows  have labels that training lacks: 'c9' (row 3), 'C1' (row 5; did you mean 'c1'?)"
        in str(caught.value)
    )
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


def test_labels_that_occur_once_are_noted_and_counted() -> None:
    columns = rows(40)
    assert read(Source({"train": columns}, "here")).notes == ()
    columns["label"][7], columns["label"][8] = "once", "again once"
    assert read(Source({"train": columns}, "here")).notes == ("2 of 4 labels occur once in training",)


def test_training_rows_of_each_label_are_counted() -> None:
    raw = read(Source({"train": rows(40), "validation": rows(2)}, "here", labels=("c1", "never", "c0")), split={})
    assert raw.label_counts == (20, 0, 20)


def test_texts_as_labels_are_refused() -> None:
    columns = rows(40)
    columns["text"], columns["label"] = columns["label"], columns["text"]
    with pytest.raises(DataError, match=r"data.columns.label=label  has 40 different values in 40 rows"):
        read(Source({"train": columns}, "here"))


def test_any_number_of_labels_keep_their_shares() -> None:
    columns = {
        "text": [f"text {i}" for i in range(200)],
        "label": [("a",) * (i % 2) + ("b",) * (i % 4 == 3) for i in range(200)],
    }
    raw = read(Source({"train": columns}, "here"))
    assert (raw.kinds["label"], raw.labels) == ("labels", {"": ("a", "b")})
    shares = {split: np.mean(table["label"].to_pylist(), axis=0).tolist() for split, table in raw.splits.items()}
    assert shares == {split: pytest.approx([0.5, 0.25], abs=0.02) for split in ("train", "validation", "test")}
    assert raw.label_counts == tuple(np.sum(raw.splits["train"]["label"].to_pylist(), axis=0))


def test_a_row_is_called_by_its_file_and_place_there() -> None:
    source = Source(
        {"train": rows(5)},
        "here",
        numbers={"train": [2, 3, 4, 6, 7]},
        places={"train": [(0, "a"), (5, "b")]},
        unit="line",
    )
    assert [source.where("train", i) for i in (0, 2, 3)] == ["line 2 of a", "line 4 of a", "line 1 of b"]
    assert Source({"train": rows(5)}, "here").where("train", 3) == "row 3"


def test_a_row_is_called_without_a_look_at_the_others() -> None:
    class Numbers(list[int]):
        def __iter__(self) -> Iterator[int]:
            raise AssertionError("all were read")

    source = Source({"train": rows(5)}, "here", numbers={"train": Numbers([2, 3, 4, 6, 7])})
    assert source.where("train", 3) == "row 6"


def test_rows_of_a_set_that_always_has_labels() -> None:
    given = Given(Source({"train": rows(40), "test": rows(6)}, "here"), limit=4)
    assert given.rows(("c1", "c0")).splits["test"].num_rows == 4
    with pytest.raises(DataError, match=r"labels that the model lacks: 'c0' \(3 rows, first row 0\)"):
        given.rows(("c1",))


@pytest.mark.parametrize("splits", [("train", "validation"), ("validation", "train")])
def test_one_label_and_lists_of_labels_are_not_mixed(splits: tuple[str, str]) -> None:
    single, many = rows(10), {"text": ["a"] * 4, "label": [("c0",), ("c1",)] * 2}
    with pytest.raises(DataError, match=r"data.columns.label  is .* on the first row, and on row 0 it is"):
        read(Source(dict(zip(splits, (single, many), strict=True)), "here"))
    with pytest.raises(DataError, match=r"is one label on the first row, and on row 10 it is \['c0'\]"):
        read(Source({"train": {role: values + many[role] for role, values in single.items()}}, "here"))


def test_labels_are_asked_for_where_no_column_is_named() -> None:
    given = Given(Source({"train": {"text": ["a", "b"]}}, "here", header=("text", "stars")))
    for ask in (given.read, lambda: given.rows(("a", "b"))):
        with pytest.raises(
            DataError, match=r"data.columns.label=null  leaves rows without labels. Name .* text, stars"
        ):
            ask()
