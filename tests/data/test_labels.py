from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from espalier.core.errors import DataError
from espalier.data.labels import (
    as_labels,
    as_slice,
    as_text,
    flat,
    indexed,
    is_empty,
    is_many,
    label_counts,
    mended,
    natural_order,
    require_labels,
    require_two,
    said,
    separator_notes,
    strange,
)


def labels(values: list[Any], separator: str | None = None) -> list[Any]:
    return as_labels(values, separator, lambda i: f"line {i + 1}")


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (3, "3"), (True, "true"), (np.int64(3), "3"), (0.5, "0.5"), (None, None), (float("nan"), None),
     ({}, None), ([], None), (b"x", None)],
)  # fmt: skip
def test_as_text(value: Any, text: str | None) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, ""), (float("nan"), ""), (np.float32("nan"), ""), ("", ""), (" a", " a"), (1, "1"), (1.0, "1"),
     (1.5, "1.5"),     (np.float32(2), "2"), (np.datetime64("2026-01-02"), "2026-01-02"), (False, "false"), (0, "0"),
     (date(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2, 3, 4), "2026-01-02 03:04:00"), (Decimal("1.50"), "1.50")],
)  # fmt: skip
def test_as_slice(value: Any, told: str) -> None:
    assert as_slice(value) == told


def test_one_label_or_any_number() -> None:
    assert labels(["a", 1, None]) == ["a", "1", None]
    assert labels(["pos", "pos ", "\tpos", " "]) == ["pos", "pos", "pos", ""]
    assert labels([["a", 2], [], None]) == [("a", "2"), (), None]
    assert labels([1, 1.0, np.float64(2), 2.5, float("inf"), None]) == ["1", "1", "2", "2.5", "inf", None]
    assert labels([[1.0, 2]]) == [("1", "2")]
    assert labels([[""], ["a ", "a"]]) == [(), ("a", "a")]
    assert labels(["a | b", "", "|c|"], "|") == [("a", "b"), (), ("c",)]
    assert [is_many(labels(values)) for values in ([["a"]], ["a"], [])] == [True, False, False]


@pytest.mark.parametrize("values", [[["a"], "b"], [["a"], [None]], ["a", {"b": 1}], [["a"], {"b": 1}]])
def test_what_is_no_label_is_named_where_it_stands(values: list[Any]) -> None:
    with pytest.raises(DataError, match=r"data.columns.label  .* on line 2"):
        labels(values)


def test_no_labels_at_all_is_something() -> None:
    assert [is_empty(value) for value in (None, "", "  ", (), "a")] == [True, True, True, False, False]


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


def test_indices_and_lists_of_0_and_1_and_their_counts() -> None:
    one = indexed(["b", "a", "b"], ("a", "b", "c"), many=False)
    many = indexed([("b", "a"), (), ("b",)], ("a", "b", "c"), many=True)
    assert one.to_pylist() == [1, 0, 1]
    assert many.to_pylist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]] and many.type.value_type == pa.uint8()
    for column in (one, many):
        assert label_counts(pa.chunked_array([column]), 3).tolist() == [1, 2, 0]


def test_every_label_and_strange_ones() -> None:
    assert list(flat([("a", "b"), ()])) == ["a", "b"] and list(flat(np.asarray([3]))) == ["3"]
    assert strange([("a", "x"), ("y",)], ("a",)) == [(0, "x"), (1, "y")]
    assert strange(["a", "x"], ("a",)) == [(1, "x")]


def test_of_strange_labels_only_those_that_are_shown_are_looked_up() -> None:
    looked: list[int] = []

    def where(row: int) -> str:
        looked.append(row)
        return f"line {row}"

    found = [(i, f"c{i}") for i in range(7)]
    assert said(found[:1], where, ()) == "'c0' (line 0)" and said(found, where, ()).endswith("'c4' (line 4) and 2 more")
    assert looked == [0, 0, 1, 2, 3, 4]


def test_strange_labels_are_told_by_label_with_what_was_likely_meant() -> None:
    words = ["entrega", "Cuenta", "envio", "Cuenta", "c9", "pagos", "entrega", "Cuenta"]
    listed = said(list(enumerate(words)), lambda row: f"line {row} of b.csv", ("cuenta", "envío", "pago", "c1"))
    assert listed == (
        "'Cuenta' (3 rows, first line 1 of b.csv; did you mean 'cuenta'?), 'entrega' (2 rows, first line 0 of b.csv), "
        "'envio' (line 2 of b.csv; did you mean 'envío'?), 'c9' (line 4 of b.csv), "
        "'pagos' (line 5 of b.csv; did you mean 'pago'?)"
    )


def test_texts_in_the_label_column_are_told_with_the_column_that_looks_right() -> None:
    texts, stars = [f"text {i}" for i in range(40)], [str(i % 5) for i in range(40)]
    with pytest.raises(DataError) as caught:
        require_labels({"text": stars, "label": texts}, {"text": "stars", "label": "review"}, ())
    assert str(caught.value) == (
        "data.columns.label=review  has 40 different values in 40 rows, and 40 of them occur once: it is no label. "
        "Are they swapped?  data.columns.text=review data.columns.label=stars"
    )
    require_labels({"text": texts, "label": stars}, {}, ())


def test_an_id_as_label_names_the_columns_there_are() -> None:
    ids, texts = [f"a|{i}" for i in range(40)], [f"text {i}" for i in range(40)]
    with pytest.raises(DataError, match=r"tells classes apart: id, text, kind.*set  data.label_separator='\|'"):
        require_labels({"text": texts, "label": ids}, {"text": "text", "label": "id"}, ("id", "text", "kind"))
    require_labels({"text": texts[:20], "label": ids[:20]}, {"text": "text", "label": "id"}, ())  # few rows: who knows


def test_one_class_is_named() -> None:
    require_two(np.asarray([1, 0, 2]), ("a", "b", "c"))
    with pytest.raises(DataError, match="one class only in training: 'b'"):
        require_two(np.asarray([0, 3]), ("a", "b"))


def test_what_to_do_about_strange_labels() -> None:
    assert mended(["x", "2.0"], ("1", "2"), "training") == "Write numbers as training does: 2."
    assert mended(["2"], ("1.0", "2.0"), "the model") == "Write numbers as the model does: 2.0."
    assert mended(["3"], ("1", "2"), "training") == "Mend those rows, or add such rows to training."


def test_a_separator_that_splits_nothing_is_noted() -> None:
    assert separator_notes([[("a",), ("b", "c")], [()]], "|") == ()
    (note,) = separator_notes([[("a",), ()]], ";")
    assert note == "data.label_separator=';' splits no cell: each row has one label, or none"
    (note,) = separator_notes([[("a|b",), ("b",)], [("b|a",)]], ";")
    assert note.endswith("cells such as 'a|b' would be split by data.label_separator='|'")


def test_cells_of_several_labels_that_are_not_split_are_noted() -> None:
    (note,) = separator_notes([["a|b", "b", "a"], ["b|a"]], None)
    assert note.startswith("many labels hold '|', as 'a|b' does") and "task=multilabel data.label_sep" in note
    assert separator_notes([["a", "b"], ["b"]], None) == separator_notes([[("a|b", "b|a")]], None) == ()
