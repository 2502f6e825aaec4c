from __future__ import annotations

from pathlib import Path

import pytest

from data.examples import TEXT, write
from espalier.core.errors import DataError
from espalier.data.text_table import read_text_files, require_column


def test_rows_keep_their_line_numbers(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", 'text,label\n"two\nlines",x\n\nplain,y\n')
    source = read_text_files({"train": file}, TEXT, origin="a")
    assert source.splits["train"] == {"text": ["two\nlines", "plain"], "label": ["x", "y"]}
    assert source.numbers["train"] == [2, 5]


def test_empty_fields_are_an_error_with_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\ngood,x\n,x\nfine,\n   ,y\n")
    with pytest.raises(DataError, match=r"empty cells: 'text' on line 3, 5; 'label' on line 4\. .*data.on_null=drop"):
        read_text_files({"train": file}, TEXT, origin="a")


def test_empty_fields_are_dropped_and_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "text,label\ngood,x\n,x\nfine,\n   ,y\nlast,y\n")
    source = read_text_files({"train": file}, TEXT, on_null="drop", origin="a")
    assert source.splits["train"]["text"] == ["good", "last"]
    assert (source.numbers["train"], source.dropped["train"]) == ([2, 6], {"empty": 3})


def test_missing_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "review,stars\na,1\n")
    with pytest.raises(DataError, match=r"data.columns.text=text  is no column of .*a.csv. It has: review, stars."):
        read_text_files({"train": file}, TEXT, origin="a")


def test_require_column_is_content_with_one_that_is_there() -> None:
    require_column("text", "review", {"review": 1}, "a set")
    with pytest.raises(DataError, match="is no column of a set"):
        require_column("text", "text", {"review": 1}, "a set")
