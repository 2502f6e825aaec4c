from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.examples import COMMON
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.tagged import names_of
from espalier.data.tokens import Tokens

ROW = {"tokens": ["Ada", "saw", "Paris", "Texas"], "tags": ["B-person", "O", "B-place", "I-place"]}


def lines(path: Path, *rows: Any) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def tokens(path: str, **changed: Any) -> Tokens:
    given = {
        **COMMON, "path": path, "validation_path": None, "test_path": None, "slices": [], "on_null": "error",
        "columns": {"words": "tokens", "tags": "tags"},
    }  # fmt: skip
    return Tokens(**{**given, **changed})


def read(tmp_path: Path, *rows: Any, **changed: Any) -> Raw:
    return tokens(lines(tmp_path / "rows.jsonl", *rows), **changed).read()


def test_names_are_both_tags_of_each_type() -> None:
    assert names_of(["O", "I-b", "B-a"]) == ("O", "B-a", "I-a", "B-b", "I-b")


def test_rows_are_words_and_tags_by_number(tmp_path: Path) -> None:
    raw = read(tmp_path, *[ROW] * 10)
    assert raw.kinds == {"words": "words", "tags": "tags"}
    assert raw.labels == {"": ("O", "B-person", "I-person", "B-place", "I-place")}
    first = raw.splits["train"].slice(0, 1).to_pylist()[0]
    assert (first["words"], first["tags"]) == (ROW["tokens"], [1, 0, 3, 4])
    assert [raw.splits[split].num_rows for split in raw.splits] == [7, 2, 1]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, "line 2 of .*: has 2 words and 1 tags"),
        ({"tokens": ["a"], "tags": ["NOUN"]}, "has the tag 'NOUN', which is none of an entity.*Write O, B-TYPE"),
        ({"tokens": ["a"], "tags": [3]}, r"data.columns.tags=tags: is no list of texts on line 2.*\[3\]"),
        ({"tokens": "a b", "tags": ["O"]}, "data.columns.words=tokens: is no list of texts on line 2"),
        ({"tokens": [], "tags": []}, "has no words on line 2.*data.on_null=drop"),
        ({"tags": ["O"]}, "has no words on line 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path, ROW, row, *[ROW] * 8)
    text = " ".join(f"{fault.what}: {fault.truth} {fault.remedy}" for fault in refused.value.faults)
    assert __import__("re").search(said, text), text


def test_empty_rows_may_be_dropped(tmp_path: Path) -> None:
    raw = read(tmp_path, {"tokens": [], "tags": []}, *[ROW] * 9, on_null="drop")
    assert raw.counts["train"].dropped == {"empty": 1}
    assert min(raw.splits["train"]["row"].to_pylist()) == 2


def test_a_type_that_training_lacks_is_refused(tmp_path: Path) -> None:
    other = lines(tmp_path / "dev.jsonl", ROW, {"tokens": ["x"], "tags": ["B-god"]})
    with pytest.raises(DataError, match=r"'B-god' \(line 2 of .*dev.jsonl\). Training has person, place"):
        read(tmp_path, *[ROW] * 4, validation_path=other)


def test_of_many_strange_types_the_first_are_named(tmp_path: Path) -> None:
    other = lines(tmp_path / "dev.jsonl", *[{"tokens": ["x"], "tags": [f"B-{i}"]} for i in range(8)])
    with pytest.raises(DataError, match=r"'B-4' \(line 5 of .*dev.jsonl\) and 3 more\. Training has person, place"):
        read(tmp_path, *[ROW] * 4, validation_path=other)


def test_rows_for_a_trained_model_have_its_numbers(tmp_path: Path) -> None:
    known = ("O", "B-event", "I-event", "B-person", "I-person", "B-place", "I-place")
    path = lines(tmp_path / "rows.jsonl", ROW)
    raw = tokens(path).rows(known)
    assert raw.splits["test"]["tags"].to_pylist() == [[3, 0, 5, 6]] and raw.labels == {"": known}
    with pytest.raises(DataError, match="types that the model lacks"):
        tokens(path).rows(("O", "B-person", "I-person"))
