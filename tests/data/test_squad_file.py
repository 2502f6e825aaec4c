from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from espalier.core.errors import DataError
from espalier.data.squad_file import read_squad

NESTED = {
    "version": "v2.0",
    "data": [{"title": "T", "paragraphs": [{"context": "Ada met Bob.", "qas": [
        {"id": "1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}], "is_impossible": False},
        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True,
         "plausible_answers": [{"text": "Bob", "answer_start": 8}]},
    ]}]}],
}  # fmt: skip


def test_the_questions_of_squad_s_own_layout(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(NESTED))
    found = read_squad(tmp_path / "a.json")
    assert found.header == ("id", "title", "context", "question", "answers") and list(found.numbers) == [1, 2]
    assert found.column("answers") == [[{"text": "Ada", "answer_start": 0}], []]
    assert found.column("context") == ["Ada met Bob."] * 2 and found.column("title") == ["T", "T"]


def test_a_list_of_rows_is_as_good(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"text": "x", "asked": "y"}]))
    assert read_squad(tmp_path / "a.json").column("asked") == ["y"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON value"), ("3", "holds no list of questions"), ('{"data": [3]}', "holds no list"),
        ("[]", "has no question"),
        ('[{"context": "a"}, {"context": "b \\ud83d"}]', "has half a character in question 2"),
        ('{"data": [{"paragraphs": [{"qas": [{}]}]}]}', "is not of SQuAD's layout: KeyError"),
    ],
)  # fmt: skip
def test_other_files_are_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=said):
        read_squad(tmp_path / "a.json")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe[")
    with pytest.raises(DataError, match="is not UTF-8"):
        read_squad(tmp_path / "a.json")


def test_it_may_be_gzipped(tmp_path: Path) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(json.dumps(NESTED).encode()))
    assert len(read_squad(tmp_path / "a.json.gz").rows) == 2
