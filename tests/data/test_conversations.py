from __future__ import annotations

import gzip
import json
from pathlib import Path
from shutil import copy
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.examples import COMMON, write
from espalier.core.errors import DataError
from espalier.core.facts import Raw
from espalier.data.instructions import Instructions

COLUMNS: dict[str, str | None] = {"instruction": "instruction", "input": None, "answer": "output", "messages": None}
CHAT: dict[str, str | None] = {"instruction": None, "input": None, "answer": None, "messages": "messages"}
ROW = {"instruction": "Add them.", "input": "1 and 2", "output": "3"}
SAID = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


def lines(path: Path, *rows: dict[str, Any]) -> str:
    return str(write(path, "".join(json.dumps(row) + "\n" for row in rows)))


def read(path: str, columns: dict[str, str | None] = COLUMNS, **values: Any) -> Raw:
    """What is read of a file, and of a copy of it for validation."""
    copied = copy(path, Path(path).with_name(f"held-{Path(path).name}")) if Path(path).exists() else path
    given = {
        "validation_path": str(copied),
        "test_path": None,
        "slices": [],
        "encoding": "utf-8",
        "delimiter": None,
        "on_null": "error",
        "packing": True,
    }
    return Instructions(path=path, columns={**COLUMNS, **columns}, **{**given, **COMMON, **values}).read()


def test_files_of_all_kinds_give_the_same_rows(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "input": ""}]
    written = lines(tmp_path / "a.jsonl", *rows)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(Path(written).read_bytes()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    write(tmp_path / "a.csv", "instruction,input,output\nAdd them.,1 and 2,3\nAdd them.,,3\n")
    wanted = [("Add them.", "1 and 2", "3"), ("Add them.", "", "3")]
    for name in ("a.jsonl", "a.jsonl.gz", "a.parquet", "a.csv"):
        raw = read(str(tmp_path / name), {"input": "input"})
        table = raw.splits["train"].select(["instruction", "input", "answer"])
        assert [tuple(row.values()) for row in table.to_pylist()] == wanted, name
    assert raw.kinds == {"instruction": "text", "input": "aside", "answer": "target"} and raw.labels == {}


def test_a_conversation_s_last_message_is_its_answer(tmp_path: Path) -> None:
    more = [{"role": "system", "content": "Be brief."}, *SAID, {"role": "user", "content": "And?"}, SAID[1]]
    raw = read(lines(tmp_path / "a.jsonl", {"messages": SAID}, {"messages": json.dumps(more)}), CHAT)
    table = raw.splits["train"]
    assert table["answer"].to_pylist() == ["So.", "So."]
    assert table["messages"].to_pylist() == [SAID[:1], more[:-1]]
    assert raw.kinds == {"messages": "messages", "answer": "target"}


def test_a_conversation_may_have_its_answer_beside_it(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {"messages": SAID[:1], "chosen": "Since.", "rejected": "x"})
    table = read(path, {**CHAT, "answer": "chosen"}).splits["train"]
    assert table["answer"].to_pylist() == ["Since."] and table["messages"].to_pylist() == [SAID[:1]]


def test_an_answer_of_its_own_stands_in_place_of_the_last_one_that_was_given(tmp_path: Path) -> None:
    rows = [{"messages": [*SAID[:1], *more], "chosen": "Since."} for more in ([], SAID[1:], [*SAID[1:], *SAID])]
    alone = {"messages": SAID[1:], "chosen": "Since."}
    table = read(lines(tmp_path / "a.jsonl", *rows, alone), {**CHAT, "answer": "chosen"}).splits["train"]
    assert table["messages"].to_pylist() == [SAID[:1], SAID[:1], [*SAID, SAID[0]], SAID[1:]]
    assert table["answer"].to_pylist() == ["Since."] * 4


def test_rows_without_an_answer_are_named_or_left_out(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", ROW, {**ROW, "output": " "}, {**ROW, "instruction": None})
    with pytest.raises(DataError, match=r"no instruction or no answer: 'instruction' on line 3; 'output' on line 2"):
        read(path)
    raw = read(path, on_null="drop")
    assert raw.splits["train"].num_rows == 1 and raw.counts["train"].dropped == {"empty": 2}
    nothing = float("nan")  # as pandas writes it
    path = lines(tmp_path / "b.jsonl", ROW, {**ROW, "input": nothing}, {**ROW, "output": nothing})
    assert read(path, {"input": "input"}, on_null="drop").counts["train"].dropped == {"empty": 1}


def test_an_input_that_is_not_read_is_told(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", ROW)
    assert read(path).notes == ("there is a column input, and no instruction sees it: data.columns.input=input",)
    assert read(path, {"input": "input"}).notes == ()


def test_slices_are_kept_beside_the_rows(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", {**ROW, "from": "x"}, {**ROW, "from": "y"})
    assert read(path, slices=["from"]).splits["train"]["slice:from"].to_pylist() == ["x", "y"]


@pytest.mark.parametrize(
    ("columns", "row", "said"),
    [
        ({"answer": None}, ROW, r"data.columns.answer=null .*leaves rows without it"),
        ({"instruction": None}, ROW, r"data.columns.instruction=null .*or a column of whole conversations"),
        ({"messages": "messages"}, ROW, "both say what is asked"),
        ({"input": "inputs"}, ROW, r"data.columns.input=inputs .*is no column of"),
        ({}, {**ROW, "output": [3]}, r"is no text on line 1 of .*a list"),
        (CHAT, {"messages": SAID[:1]}, "ends on line 1 of .* its last role is user"),
    ],
)
def test_what_leaves_open_what_is_learned_is_refused(
    columns: dict[str, str | None], row: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        read(lines(tmp_path / "a.jsonl", row), columns)
