from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from checks.examples import texts, vectors
from espalier.checks.rows import classes, findings, identities, lengths, suspects
from espalier.core.facts import Raw


def test_nothing_is_found_where_all_is_well() -> None:
    raw = texts(train=[("a b", 0), ("c", 1)], validation=[("d", 0), ("e", 1)])
    assert findings(raw).summary() == {
        "repeated": {}, "leaked": {}, "shared": {}, "conflicts": 0, "empty": {},
        "imbalance": 1.0, "single": ["bad", "good"], "absent": {},
    }  # fmt: skip
    assert suspects(raw, identities(raw)) == []


@pytest.mark.parametrize("other", ["A fine\tfilm", " a  fine film ", "a fine\nfilm", "a fine\u00a0film"])
def test_case_and_blanks_make_no_other_text(other: str) -> None:
    raw = texts(train=[("a fine film", 1), ("dull", 0)], test=[(other, 1)])
    assert findings(raw).leaked == {"test": 1}


@pytest.mark.parametrize("other", ["a fine films", "a finefilm", "a fine film."])
def test_other_words_make_another_text(other: str) -> None:
    assert findings(texts(train=[("a fine film", 1), ("dull", 0)], test=[(other, 1)])).leaked == {}


def test_leaks_are_counted_as_texts_and_by_earlier_split() -> None:
    raw = texts(
        train=[("a", 0), ("b", 1)], validation=[("a", 0), ("c", 1)], test=[("a", 0), ("c", 1), ("c", 1), ("d", 0)]
    )
    found = findings(raw)
    assert found.leaked == {"validation": 1, "test": 2}
    assert found.shared == {"validation": {"train": 1}, "test": {"train": 1, "validation": 2}}
    assert found.repeated == {"test": 1}


def test_a_row_of_two_texts_is_the_same_if_both_are() -> None:
    raw = texts(train=[("a", 0), ("a", 1)], test=[("a", 0)])
    pairs = {"train": ["x", "y"], "test": ["z"]}
    tables = {split: t.append_column("text_pair", pa.array(pairs[split])) for split, t in raw.splits.items()}
    both = replace(raw, splits=tables, kinds={**raw.kinds, "text_pair": "text"})
    assert (findings(raw).leaked, findings(both).leaked) == ({"test": 1}, {})
    assert lengths(both, None)["train"].longest == 2


def test_texts_with_several_labels_name_what_most_rows_say() -> None:
    raw = texts(train=[("a", 0), ("a", 1), ("a", 1), ("b", 0), ("b", 1), ("c", 0)])
    assert findings(raw).conflicts == 2
    found = [s for s in suspects(raw, identities(raw)) if s.problem == "conflict"]
    assert [(s.row, s.given, s.suggested, s.like) for s in found] == [
        (10, "bad", "good", ""), (11, "good", "good", "train 10"), (12, "good", "good", "train 10"),
        (13, "bad", "", ""), (14, "good", "", "train 13"),
    ]  # fmt: skip


def test_empty_rows() -> None:
    raw = texts(train=[("a", 0), (" \n", 1)])
    assert findings(raw).empty == {"train": 1}
    (empty,) = suspects(raw, identities(raw))
    assert (empty.problem, empty.row) == ("empty", 11)


def test_rare_and_missing_classes() -> None:
    raw = texts(train=[(f"a {i}", 0) for i in range(30)] + [("b", 1)], test=[("c", 0)])
    found = findings(raw)
    assert (found.imbalance, found.single, found.absent) == (30.0, ["good"], {"test": ["good"]})


def test_labels_of_any_number_are_counted_and_conflict_with_nothing() -> None:
    raw = texts(train=[("a", 0), ("a", 1), ("b", 1)])
    hot = pa.FixedSizeListArray.from_arrays(pa.array(np.array([1, 0, 1, 1, 0, 1], np.uint8)), 2)
    table = raw.splits["train"].drop_columns("label").append_column("label", hot)
    many = replace(raw, splits={"train": table}, kinds={"text": "text", "label": "labels"})
    assert classes(many) == {"train": {"bad": 2, "good": 2}}
    assert findings(many).conflicts == 0
    assert suspects(many, identities(many))[0].given == ""


def test_vectors_are_the_same_byte_for_byte() -> None:
    raw = vectors(np.array([[1, 2], [1, 2], [1, 2.5]], np.float32), [0, 1, 1])
    found = findings(raw)
    assert (found.unit, found.repeated, found.conflicts) == ("samples", {"train": 1}, 1)
    assert suspects(raw, identities(raw))[0].text == ""


def test_lengths_count_words_against_the_limit() -> None:
    found = lengths(texts(train=[("a b c", 0), ("a", 1), ("a b", 1)]), 2)["train"]
    assert (found.median, found.longest, found.limit, found.over) == (2, 3, 2, 1)
    assert lengths(vectors(np.zeros((2, 1), np.float32), [0, 1]), 2) == {}


def test_cheap_enough_for_every_run() -> None:
    words = np.random.default_rng(0).choice(["film", "story", "an", "a", "good"], (2_500, 230))
    raw = texts(train=[(" ".join(row) + str(i), i % 2) for i, row in enumerate(words)])
    began = time.process_time()
    findings(raw)
    assert time.process_time() - began < 0.3  # for a tenth of 25,000 rows, on a machine that may be ten times as slow


def test_words_are_the_same_whatever_their_case() -> None:
    splits = {"train": [["New", "York"], ["new", "york"], ["New York"]], "test": [["NEW", "York"]]}
    tables = {s: pa.table({"row": list(range(len(words))), "words": words}) for s, words in splits.items()}
    found = findings(Raw(tables, {"words": "words"}, {}, {}, "", "here"))
    assert (found.repeated, found.leaked) == ({"train": 1}, {"test": 1})
