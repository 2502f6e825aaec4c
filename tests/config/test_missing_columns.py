from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from espalier.config.missing_columns import conversations, no_column, other_reading

SAID = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
TEXTS = {"text": "text", "text_pair": None, "label": "label"}
ASKED = {"instruction": "instruction", "input": None, "answer": "output", "messages": None}
WHOLE = "'data.columns={instruction: null, input: null, answer: null, messages: messages}'"
MODEL = "model=causal_lm model.source=ORG/NAME"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("mensaje;intención;canal\nhola;saludo;web\n", "utf-8")
    return tmp_path / "a.csv"


@pytest.mark.parametrize(
    ("named", "peeked", "remedy"),
    [
        (TEXTS, {"id": 1, "messages": SAID}, f"Set  data=instructions {WHOLE} {MODEL}"),
        (
            TEXTS,
            {"la charla": SAID},
            "'data.columns={instruction: null, input: null, answer: null, messages: '\"'\"'la charla'\"'\"'}'",
        ),
        (
            TEXTS,
            {"Prompt": "a", "response": "b"},
            f"data.columns.instruction=Prompt data.columns.answer=response {MODEL}",
        ),
        (TEXTS, {"text": "a", "messages": SAID}, None),
        (TEXTS, {"prompt": "a", "kind": "b"}, None),
        (ASKED, {"messages": SAID}, f"Set  {WHOLE}"),
        ({**ASKED, "messages": "messages"}, {"messages": None}, f"Set  {WHOLE}"),
        ({**ASKED, "messages": "mesages"}, {"messages": SAID}, f"Set  {WHOLE}"),
        (
            {**ASKED, "messages": "messages", "answer": "best"},
            {"messages": SAID, "best": "So."},
            "Set  'data.columns={instruction: null, input: null, answer: best, messages: messages}'",
        ),
        ({**ASKED, "answer": "answer"}, {"instruction": "a", "reply": "b"}, None),
        ({"instruction": None, "answer": None, "messages": "messages"}, {"messages": SAID}, None),
    ],
)
def test_conversations_are_read_by_one_line(named: dict[str, Any], peeked: dict[str, Any], remedy: str | None) -> None:
    answer = conversations("data.columns", named, Path("a.jsonl"), peeked)
    assert (answer is None) == (remedy is None)
    assert answer is None or (answer[0] == "data.columns" and str(remedy) in answer[2])


def test_a_column_that_was_likely_meant() -> None:
    answer = no_column("data.columns.label", "Intencion", Path("a.csv"), ["mensaje", "Intención"])
    assert answer[2] == "Set  \"data.columns.label='Intención'\""


def read(path: Path, part: Mapping[str, Any], header: list[str], names: list[str]) -> tuple[list[str], list[str]]:
    answers, found = other_reading("data", part, path, header, names)
    return [f"{key}  {truth} {remedy}" for key, truth, remedy in answers], found


def test_a_delimiter_that_does_not_split_the_header(table: Path) -> None:
    names = ["mensaje", "intención", "canal"]
    whole = [";".join(names)]
    (said,), header = read(table, {"delimiter": ","}, whole, ["mensaje", "text"])
    assert header == names and "is split by ';'" in said and said.endswith("Leave data.delimiter out.")
    assert read(table, {"delimiter": ","}, whole, whole) == ([], whole)
    assert read(table, {"delimiter": None}, names, ["text"]) == ([], names)


def test_an_encoding_that_is_not_that_of_the_file(table: Path) -> None:
    wrong = ["mensaje", "intenciÃ³n", "canal"]
    (said,), header = read(table, {"encoding": "cp1252"}, wrong, ["intención"])
    assert header[1] == "intención"
    assert said.startswith("data.encoding  does not fit") and said.endswith("Leave data.encoding out.")
    both = read(table, {"encoding": "cp1252", "delimiter": ","}, [";".join(wrong)], ["intención"])
    assert len(both[0]) == 2 and both[1] == header
    table.write_text("mensaje;intención\nhola;saludo\n", "cp1252")
    assert read(table, {"encoding": "cp1252"}, ["mensaje", "intención"], ["text"])[0] == []
