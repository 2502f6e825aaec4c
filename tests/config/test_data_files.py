from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.config.data_files import columns_of, file_exists, folder_exists, learns
from espalier.config.setting import Setting

CLASSES, MANY = "espalier.task.classification.Classification", "espalier.task.multilabel.Multilabel"
EITHER = "Set  task=classification , or, if cells hold several labels, what stands between:  data.label_separator='|'"
SPLIT = "Cells of labels hold several, as 'a|b' does. Set  \"data.label_separator='|'\""
HEADS = "espalier.task.multi_head.MultiHead"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("review,stars\nfine,1\n")
    Path("b.csv").write_text("review,stars\nfine,1\n")
    Path("one.jsonl").write_text('{"text": "a", "tags": null}\n{"tags": ["x"], "label": "y"}\n')
    pq.write_table(pa.table({"text": ["a"], "label": [["x", "y"]]}), "many.parquet")
    cells = ("a|b", "b", "b|a", "a")
    Path("several.csv").write_text("".join(f"{cell};x\n" for cell in ("kind", *cells)))
    Path("several.jsonl").write_text("".join(f'{{"kind": "{cell}"}}\n' for cell in cells))
    pq.write_table(pa.table({"kind": [*cells]}), "several.parquet")
    Path("photos").mkdir()
    return tmp_path


def data(option: str, **values: Any) -> dict[str, Any]:
    return {"_target_": f"espalier.data.{option}.{option.title()}", **values}


def columns(option: str, path: Any, value: Any, key: str = "data.columns", **more: Any) -> list[tuple[str, ...]]:
    node = data(option, path=path, **more)
    return list(columns_of(("path",), Setting(key, value, node, {"data": node})))


@pytest.mark.parametrize("value", ["a.csv", "*.csv", ["a.csv", "b.csv"], ["a*"]])
def test_files_that_are_there(value: Any) -> None:
    assert list(file_exists((), Setting("data.path", value, {}, {}))) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("d.csv", "there is no such file (looked in"),
        (["a.csv", "d.csv"], "there is no such file as d.csv (looked in"),
        ("*.tsv", "*.tsv matches no file (looked from"),
        (["a.csv", "*.tsv"], "*.tsv matches no file (looked from"),
        (
            "photos",
            "is a folder. data=folder reads folders of images. Name the file, or several by a pattern:  photos/*",
        ),
        (["photos"], "is a folder."),
    ],
)
def test_files_that_are_not(value: Any, said: str) -> None:
    ((key, truth, remedy),) = file_exists((), Setting("data.path", value, {}, {}))
    assert key == "data.path" and f"{truth} {remedy}".startswith(said)


@pytest.mark.parametrize(
    ("value", "answer"),
    [("photos", None), ("photo", "Did you mean  data.path=photos ?"), ("a.csv", "Name the folder.")],
)
def test_folders(value: str, answer: str | None) -> None:
    found = list(folder_exists((), Setting("data.path", value, {}, {})))
    assert [remedy for _, _, remedy in found] == ([answer] if answer else [])


@pytest.mark.parametrize(
    ("option", "path", "named"),
    [
        ("csv", "*.csv", {"text": "review", "text_pair": None, "label": "stars"}),
        ("csv", ["b.csv", "a.csv"], ["stars"]),
        ("jsonl", "one.jsonl", {"text": "text", "label": "label"}),
        ("parquet", "many.parquet", {"text": "text", "label": "label"}),
        ("csv", "none.csv", {"text": "any"}),
    ],
)
def test_columns_that_are_there(option: str, path: Any, named: Any) -> None:
    assert columns(option, path, named) == []


def test_columns_that_are_not() -> None:
    ((key, truth, remedy),) = columns("jsonl", "one.jsonl", {"text": "texts", "text_pair": None})
    assert (key, remedy) == ("data.columns.text", "Set  data.columns.text=text")
    assert truth == "one.jsonl has no column 'texts'. It has: text, tags, label."
    ((key, _, remedy),) = columns("csv", "a.csv", ["star"], "data.slices")
    assert (key, remedy) == ("data.slices", "Set  data.slices=[stars]")


def test_what_is_wrong_with_a_setting_is_said_of_it() -> None:
    ((key, truth, _),) = columns("csv", "a.csv", {"text": "review"}, encoding="lattin")
    assert (key, truth) == ("data.encoding", "is no encoding that Python knows.")
    ((key, _, _),) = columns("csv", "a.csv", {"text": "review"}, delimiter="ab")
    assert key == "data.delimiter"


def test_a_file_of_another_format_is_said_once() -> None:
    ((key, truth, remedy),) = columns("jsonl", "a.csv", {"text": "review"})
    assert key == "data.path" and truth.startswith("holds no JSON lines") and "data=csv" in remedy
    assert columns("jsonl", "a.csv", ["stars"], "data.slices") == []


@pytest.mark.parametrize(
    ("task", "node", "remedy"),
    [
        (CLASSES, data("csv", path="a.csv", label_separator="|"), "Set  task=multilabel"),
        (MANY, data("csv", path="a.csv", label_separator=None, columns={"label": "stars"}), EITHER),
        (MANY, data("csv", path="gone.csv", label_separator=None, columns={"label": "stars"}), EITHER),
        (MANY, data("csv", path="a.csv", label_separator=None, columns={"label": "none"}), EITHER),
        (MANY, data("csv", path="several.csv", label_separator=None, columns={"label": "kind"}), SPLIT),
        (MANY, data("parquet", path="several.parquet", label_separator=None, columns={"label": "kind"}), SPLIT),
        (MANY, data("jsonl", path="several.jsonl", label_separator=None, columns={"label": "kind"}), SPLIT),
        (CLASSES, data("jsonl", path="one.jsonl", columns={"label": "tags"}), "Set  task=multilabel"),
        (CLASSES, data("parquet", path="many.parquet", columns={"label": "label"}), "Set  task=multilabel"),
        (MANY, data("sst2"), "Set  task=classification"),
        (MANY, data("jsonl", path="one.jsonl", columns={"label": "lable"}), None),  # said of the column alone
        (MANY, data("hub", label_separator=None), None),
        (CLASSES, data("hub", label_separator="|"), "Set  task=multilabel"),
        (HEADS, data("sst2"), "Set  task=classification"),
        (CLASSES, data("joint", sources={}), "Set  task=multi_head"),
        (HEADS, data("joint", sources={}), None),
        (MANY, data("csv", path="a.csv", label_separator="|"), None),
        (CLASSES, data("jsonl", path="one.jsonl", columns={"label": "label"}), None),
        (CLASSES, data("jsonl", path="a.csv", columns={"label": "label"}), None),
        ("somebody.Elses", data("csv", path="a.csv", label_separator="|"), None),
        (CLASSES, {"_target_": "somebody.Elses"}, None),
    ],
    ids=json.dumps,
)
def test_a_task_learns_the_kind_of_labels_there_is(task: str, node: dict[str, Any], remedy: str | None) -> None:
    setting = Setting("task", {"_target_": task}, {}, {"data": node})
    assert [answer[2] for answer in learns(("data",), setting)] == ([remedy] if remedy else [])


def test_what_is_no_name_has_a_fault_of_its_type_alone() -> None:
    assert list(file_exists((), Setting("data.path", ["a.csv", False, None], {}, {}))) == []
    assert columns("csv", [False], {"text": "review"}) == []


def test_a_file_that_is_to_be_read_otherwise_is_said_once_with_the_columns_it_has_then() -> None:
    Path("c.csv").write_text("mensaje;intención\nhola;saludo\n", "utf-8")
    found = columns("csv", "c.csv", {"text": "mensaje", "label": "intencion"}, delimiter=",", encoding="cp1252")
    assert [(key, remedy) for key, _, remedy in found] == [
        ("data.encoding", "Leave data.encoding out."),
        ("data.delimiter", "Leave data.delimiter out."),
        ("data.columns.label", "Set  \"data.columns.label='intención'\""),
    ]
    assert columns("csv", "c.csv", ["mensaje"], "data.slices", delimiter=",") == []


def test_conversations_in_place_of_texts_and_labels() -> None:
    Path("talks.jsonl").write_text('{"messages": [{"role": "user", "content": "Why?"}]}\n')
    ((key, truth, remedy),) = columns("jsonl", "talks.jsonl", {"text": "text", "label": "label"})
    assert key == "data.columns" and truth.endswith("no column 'text', 'label': its 'messages' are conversations.")
    assert "data=instructions 'data.columns={" in remedy and "model=causal_lm" in remedy
