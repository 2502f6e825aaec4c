from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from espalier.core.chunks import Columns, Records
from espalier.core.errors import DataError
from espalier.core.facts import DataFacts
from espalier.run.given import numbers_of, rows_of
from espalier.run.pictures import Pictures

TEXTS = DataFacts({"text": "text", "text_pair": "text", "label": "label"}, {}, {})
VECTORS = DataFacts({"vector": "vector", "label": "label"}, {}, {}, (2,))
IMAGES = DataFacts({"image": "image", "label": "label"}, {}, {}, (1, 1, 2))


def records(*rows: dict[str, Any]) -> Records:
    header = tuple(dict.fromkeys(key for row in rows for key in row))
    return Records(header, rows, range(2, 2 + len(rows)))


def test_texts_by_their_roles_numbers_as_texts() -> None:
    chunk = records({"a": "x", "b": 3, "c": 1}, {"a": True, "b": 0.5})
    table, empty = rows_of(chunk, TEXTS, {"text": "a", "text_pair": "b"}, "error")
    assert table.to_pylist() == [{"text": "x", "text_pair": "3"}, {"text": "true", "text_pair": "0.5"}]
    assert not empty.any()


def test_words_are_lists_or_stand_between_blanks() -> None:
    facts = DataFacts({"words": "words", "tags": "tags"}, {}, {})
    chunk = records({"w": ["New York", "is"]}, {"w": " it  was "}, {"w": None}, {"w": []})
    table, empty = rows_of(chunk, facts, {"words": "w"}, "skip")
    assert table.to_pylist() == [{"words": ["New York", "is"]}, {"words": ["it", "was"]}]
    assert empty.tolist() == [False, False, True, True]
    with pytest.raises(DataError, match="line 4, 5"):
        rows_of(chunk, facts, {"words": "w"}, "error")
    with pytest.raises(DataError, match="neither a text nor a list of words on line 2"):
        rows_of(records({"w": [1]}), facts, {"words": "w"}, "error")


def test_a_text_beside_another_may_be_empty_or_not_there() -> None:
    facts = DataFacts({"instruction": "text", "input": "aside", "answer": "target"}, {}, {})
    columns = {"instruction": "a", "input": "b"}
    table, empty = rows_of(records({"a": "x", "b": None}, {"a": "y", "b": 3}), facts, columns, "error")
    assert table.to_pylist() == [{"instruction": "x", "input": ""}, {"instruction": "y", "input": "3"}]
    table, _ = rows_of(records({"a": "x"}), facts, columns, "error")
    assert table.to_pylist() == [{"instruction": "x", "input": ""}] and not empty.any()


def test_messages_are_lists_or_what_a_user_says() -> None:
    facts = DataFacts({"messages": "messages", "answer": "target"}, {}, {})
    said = [{"role": "user", "content": "x"}]
    chunk = records({"m": said}, {"m": "x"}, {"m": None}, {"m": []})
    table, empty = rows_of(chunk, facts, {"messages": "m"}, "skip")
    assert table.to_pylist() == [{"messages": said}] * 2 and empty.tolist() == [False, False, True, True]
    with pytest.raises(DataError, match="line 4, 5"):
        rows_of(chunk, facts, {"messages": "m"}, "error")
    with pytest.raises(DataError, match="no list of messages on line 2"):
        rows_of(records({"m": 3}), facts, {"messages": "m"}, "error")


def test_rows_without_a_text_are_named_or_left_out() -> None:
    chunk = records({"a": "x", "b": "y"}, {"a": " ", "b": "y"}, {"a": "x", "b": float("nan")})
    with pytest.raises(DataError, match=r"new.csv  has empty texts: 'a' on line 3; 'b' on line 4\. .*on_empty=skip"):
        rows_of(chunk, TEXTS, {"text": "a", "text_pair": "b"}, "error", origin="new.csv")
    table, empty = rows_of(chunk, TEXTS, {"text": "a", "text_pair": "b"}, "skip")
    assert table.num_rows == 1 and empty.tolist() == [False, True, True]


@pytest.mark.parametrize(
    "chunk",
    [
        Columns(pa.table({"v": pa.array([[1.5, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))}), range(2)),
        Columns(pa.table({"v": [[1.5, 2.0], [3.0, 4.0]]}), range(2)),
        records({"v": [1.5, 2]}, {"v": [3, 4]}),
    ],
    ids=["fixed", "lists", "json"],
)
def test_vectors_from_whatever_holds_lists(chunk: Any) -> None:
    table, _ = rows_of(chunk, VECTORS, {"vector": "v"}, "error")
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 2)
    assert table["vector"].to_pylist() == [[1.5, 2.0], [3.0, 4.0]]


def test_images_are_bytes() -> None:
    table, _ = rows_of(records({"i": [0, 255]}), IMAGES, {"image": "i"}, "error")
    assert table.schema.field("image").type == pa.list_(pa.uint8(), 2)


@pytest.mark.parametrize(
    ("facts", "role", "value", "said"),
    [
        (VECTORS, "vector", [1.0], "must be a list of 2 numbers, and on line 2 it is 1 values"),
        (VECTORS, "vector", "1,2", "on line 2 it is a str"),
        (VECTORS, "vector", [1.0, "x"], "holds what is no number"),
        (TEXTS, "text", ["x"], "is no text on line 2: it is a list there"),
    ],
)
def test_what_cannot_be_read_is_named(facts: DataFacts, role: str, value: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        rows_of(records({"v": value}), facts, {role: "v"}, "error")


def test_images_by_their_files(tmp_path: Path) -> None:
    Image.fromarray(np.array([[3, 7]], np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("none")
    pictures = Pictures(IMAGES.shape, tmp_path)
    chunk = records({"i": "a.png"}, {"i": "b.png"}, {"i": "a.png"}, {"i": ""})
    with pytest.raises(
        DataError, match=r"2 images that cannot be read \(line 3: b\.png is no whole .* line 5: no image"
    ):
        rows_of(chunk, IMAGES, {"image": "i"}, "error", pictures)
    table, empty = rows_of(chunk, IMAGES, {"image": "i"}, "skip", pictures)
    assert table.to_pylist() == [{"image": [3, 7]}] * 2 and empty.tolist() == [False, True, False, True]
    assert table.schema.field("image").type == pa.list_(pa.uint8(), 2)
    table, _ = rows_of(records({"i": [0, 255]}), IMAGES, {"image": "i"}, "error", pictures)
    assert table.to_pylist() == [{"image": [0, 255]}]


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"b  is no column of the input. It has: a\.  Write  column.text_pair="):
        rows_of(records({"a": "x"}), TEXTS, {"text": "a", "text_pair": "b"}, "error")


def test_whole_numbers_are_a_columns_or_the_rows_places() -> None:
    chunk = records({"seed": "7", "n": 3}, {"seed": -1, "n": 4.0})
    assert numbers_of(chunk, ("seed",), {}, 0).to_pylist() == [{"seed": 7}, {"seed": -1}]
    assert numbers_of(chunk, ("seed",), {"seed": "n"}, 0)["seed"].to_pylist() == [3, 4]
    assert numbers_of(records({"a": "x"}, {"a": "y"}), ("seed",), {}, 40)["seed"].to_pylist() == [40, 41]


@pytest.mark.parametrize("value", ["x", 1.5, None, 2**70, "", float("nan")])
def test_what_is_no_whole_number_is_named_with_its_line(value: Any) -> None:
    with pytest.raises(DataError, match=r"seed  must be a whole number, and on line 3 it is "):
        numbers_of(records({"seed": 1}, {"seed": value}), ("seed",), {}, 0)
    with pytest.raises(DataError, match=r"n  is no column of the input\. It has: seed\."):
        numbers_of(records({"seed": 1}), ("seed",), {"seed": "n"}, 0)
