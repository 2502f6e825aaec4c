from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.examples import COMMON, write
from espalier.core.errors import DataError
from espalier.core.jsonl import Records, read_records
from espalier.data.files import FileData
from espalier.data.text_table import Reading


class Mine(FileData):
    """A part of a user's that reads files in its own way."""

    def table(self, path: Path, reading: Reading, /) -> Records:
        return read_records(path)


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mine(path: Any, **changed: Any) -> Mine:
    values = {"validation_path": None, "test_path": None, "columns": {"text": "t", "text_pair": None, "label": "l"},
              "slices": [], "label_separator": None, "on_null": "error", "outside": None}  # fmt: skip
    return Mine(**{**COMMON, **values, "path": path, **changed})


def shard(name: str, rows: range, label: str = "cd", more: str = "") -> Path:
    text = "".join(f'{{"t": "text {i}", "l": "{label[i % len(label)]}"{more}}}\n' for i in rows)
    return write(Path(name), text)


@pytest.mark.parametrize("path", ["part-*.jsonl", ["part-1.jsonl", "part-2.jsonl"]])
def test_several_files_are_one_after_the_other(path: Any) -> None:
    shard("part-2.jsonl", range(20, 40))
    shard("part-1.jsonl", range(20))
    source = mine(path).tables()
    assert source.splits["train"]["text"] == [f"text {i}" for i in range(40)]
    assert source.origin == "part-1.jsonl and 1 more"
    assert len(set(source.numbers["train"])) == 40
    assert (
        source.where("train", 0) == "line 1 of part-1.jsonl" and source.where("train", 39) == "line 20 of part-2.jsonl"
    )


def test_a_strange_label_is_named_by_file_and_line() -> None:
    shard("train.jsonl", range(20))
    shard("v1.jsonl", range(3))
    shard("v2.jsonl", range(3), label="cX")
    with pytest.raises(DataError, match=r"the validation rows  .* lacks: 'X' \(line 2 of v2.jsonl\)"):
        mine("train.jsonl", validation_path=["v1.jsonl", "v2.jsonl"]).read()


def test_pattern_that_matches_nothing_when_read() -> None:
    with pytest.raises(DataError, match=r"data.test_path=t\*.jsonl  matches no file"):
        mine(str(shard("a.jsonl", range(9))), test_path="t*.jsonl").tables()


def test_pairs_and_slices() -> None:
    shard("a.jsonl", range(40), more=', "p": "second", "country": 7')
    columns = {"text": "t", "text_pair": "p", "label": "l"}
    raw = mine("a.jsonl", columns=columns, slices=["country"]).read()
    assert raw.kinds == {"text": "text", "text_pair": "text", "label": "label"}
    train = raw.splits["train"]
    assert train.column_names == ["row", "text", "text_pair", "slice:country", "label"]
    assert set(train["slice:country"].to_pylist()) == {"7"}
    assert mine("a.jsonl").read().kinds == {"text": "text", "label": "label"}


def test_rows_for_a_trained_model_with_its_labels() -> None:
    shard("a.jsonl", range(10))
    raw = mine("a.jsonl").rows(("x", "d", "c"))
    assert list(raw.splits) == ["test"] and raw.labels == {"": ("x", "d", "c")}
    assert raw.splits["test"]["label"].to_pylist() == [2, 1] * 5
    assert raw.counts["test"].kept == 10
    with pytest.raises(
        DataError, match=r"the test rows  have labels that the model lacks: 'd' \(5 rows, first line 2 of a.jsonl\)"
    ):
        mine("a.jsonl").rows(("c", "x"))


def test_rows_are_those_called_test_or_else_all_of_them() -> None:
    shard("a.jsonl", range(10))
    shard("b.jsonl", range(10, 14))
    assert mine("a.jsonl", test_path="b.jsonl").rows(("c", "d")).splits["test"].num_rows == 4
    whole = mine("a.jsonl", validation_path="b.jsonl").rows(("c", "d")).splits["test"]
    assert whole["text"].to_pylist() == [f"text {i}" for i in range(14)]
    assert len(set(whole["row"].to_pylist())) == 14


def test_rows_to_evaluate_need_labels() -> None:
    write(Path("a.jsonl"), '{"t": "one"}\n{"t": "two"}\n')
    with pytest.raises(DataError, match=r"data.columns.label=l  is no column"):
        mine("a.jsonl").rows(("c", "d"))


def test_labels_that_are_not_split_as_they_should_be_are_noted() -> None:
    write(
        Path("a.jsonl"), "".join(f'{{"t": "text {i}", "l": "{("a|b", "b", "b|a", "a")[i % 4]}"}}\n' for i in range(40))
    )
    for separator, begins in ((None, "many labels hold '|'"), (";", "data.label_separator=';' splits no cell")):
        assert any(note.startswith(begins) for note in mine("a.jsonl", label_separator=separator).read().notes)
    assert not any("label_separator" in note for note in mine("a.jsonl", label_separator="|").read().notes)
