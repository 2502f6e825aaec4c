from __future__ import annotations

from pathlib import Path

import pytest

from data.test_conversations import ROW, lines, read
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import DataError, UserError


def test_several_files_are_numbered_on(tmp_path: Path) -> None:
    paths = [lines(tmp_path / name, ROW, ROW) for name in ("a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl")]
    raw = read(str(tmp_path / "[ab].jsonl"), validation_path=paths[2], test_path=paths[2:])
    assert raw.splits["train"]["row"].to_pylist() == [1, 2, 4, 5]
    assert raw.splits["test"].num_rows == 4 and raw.origin.endswith("a.jsonl and 1 more")


def test_a_pattern_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="matches no file"):
        read(str(tmp_path / "*.none"))


def test_it_chooses_its_task_and_a_slip_is_told(tmp_path: Path) -> None:
    words = ["data=instructions", f"data.path={lines(tmp_path / 'a.jsonl', ROW)}", "model=causal_lm", "adapter=full"]
    words += ["model.source=org/name"]
    assert compose(words).choices["task"] == "instruction_tuning"
    check(compose(words))
    with pytest.raises(UserError, match=r'has no "anser". Did you mean  data.columns.answer'):
        check(compose([*words, "+data.columns.anser=x"]))


def test_a_table_may_be_in_another_encoding_and_have_any_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "fragen.csv"
    path.write_bytes("instruction,a;output\nÜber was?;Käse\n".encode("cp1252"))
    columns: dict[str, str | None] = {"instruction": "instruction,a", "answer": "output"}
    raw = read(str(path), columns, encoding="cp1252", delimiter=";")
    assert raw.splits["train"]["instruction"].to_pylist() == ["Über was?"]
