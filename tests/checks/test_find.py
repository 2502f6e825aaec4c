from __future__ import annotations

import json
from pathlib import Path

import pytest

from espalier.checks import find
from espalier.config.compose import compose
from espalier.config.saved import write

TABLE = [
    "text,label",
    *(f"a {('dull', 'warm')[i % 2]} film number {i},{i % 2}" for i in range(40)),
    "A dull film number 0,1",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The experiment of a table in which one row stands twice, with two labels."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("\n".join(TABLE) + "\n")
    write(compose(["data=csv", "data.path=table.csv", "model=lstm", "hardware=cpu"]), tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["find", *words])
    return find.main()


def test_found_rows_are_told_and_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(folder), "--output", "s.jsonl") == 0
    said = capsys.readouterr().out
    assert "1 text with more than one label" in said
    assert "by words" in said
    listed = [json.loads(line) for line in (folder / "s.jsonl").read_text().splitlines()]
    assert {row["row"] for row in listed if row["problem"] == "conflict"} == {2, 42}
    assert f"{len(listed)} rows are listed in s.jsonl" in said


def test_strict_fails_where_something_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, str(folder), "--quick", "--strict") == 1
    (folder / "table.csv").write_text("\n".join(TABLE[:-1]) + "\n")
    assert run(monkeypatch, str(folder), "--quick", "--strict") == 0


def test_as_json(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, str(folder), "--quick", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["conflicts"], record["labels"], record["unit"]) == (1, None, "texts")
    assert {row["problem"] for row in record["suspects"]} <= {"conflict", "leaked", "repeated"}
    assert record["words"]["train"]["longest"] == 5
