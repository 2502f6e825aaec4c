from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from data.examples import COMMON, write
from espalier.core.errors import DataError
from espalier.data.text_file import TextFile

GIVEN: dict[str, Any] = {
    **COMMON, "validation_path": None, "test_path": None, "encoding": "utf-8",
    "split": {"validation": 0.25, "test": 0.0},
}  # fmt: skip


def texts(data: TextFile, split: str) -> str:
    return "".join(data.read().splits[split]["text"].to_pylist())


def test_lines_end_by_a_line_feed(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "één\r\n\r\ntwee\rdrie\n")
    data = TextFile(path=str(file), **GIVEN)
    assert texts(data, "train") + texts(data, "validation") == "één\n\ntwee\ndrie\n"
    assert data.read().origin == str(file)


def test_files_of_their_own_and_of_another_encoding(tmp_path: Path) -> None:
    for name in ("a", "b", "v", "t"):
        write(tmp_path / f"{name}.txt", f"{name} é", "cp1252")
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress((tmp_path / "v.txt").read_bytes()))
    given = {**GIVEN, "validation_path": str(tmp_path / "v.txt.gz"), "test_path": [str(tmp_path / "t.txt")]}
    raw = TextFile(path=str(tmp_path / "[ab].txt"), **{**given, "encoding": "cp1252"}).read()
    rows = {s: [(r["text"], r["document"]) for r in table.to_pylist()] for s, table in raw.splits.items()}
    assert rows == {"train": [("a é", 0), ("b é", 1)], "validation": [("v é", 0)], "test": [("t é", 0)]}
    assert raw.origin.endswith("a.txt and 1 more")


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="matches no file"):
        TextFile(path=str(tmp_path / "*.txt"), **GIVEN).read()
    file = write(tmp_path / "a.txt", "é at the start", "cp1252")
    with pytest.raises(DataError, match="byte 0xe9"):
        TextFile(path=str(file), **GIVEN).read()


def test_another_text_is_evaluated_as_a_whole(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "a\n\nb\n\nc" * 5)
    rows = TextFile(path=str(file), **GIVEN).rows(()).splits["test"]
    assert "".join(rows["text"].to_pylist()) == file.read_text()
