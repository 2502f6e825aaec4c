from __future__ import annotations

import json
from pathlib import Path

import pytest

from espalier.checks.find import find
from espalier.config.compose import Experiment, compose

TABLE = [
    "text,label",
    *(f"a {('dull', 'warm')[i % 2]} film number {i},{i % 2}" for i in range(40)),
    "A dull film number 0,1",
]


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """Of a table in which one row stands twice, with two labels."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("\n".join(TABLE) + "\n")
    return compose(["data=csv", "data.path=table.csv"])


def test_found_rows_are_told_and_listed(experiment: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    assert find(experiment, strict=False, as_json=False, output=Path("s.jsonl")) == 0
    said = capsys.readouterr().out
    assert "1 text with more than one label" in said
    listed = [json.loads(line) for line in Path("s.jsonl").read_text().splitlines()]
    assert {row["row"] for row in listed if row["problem"] == "conflict"} == {2, 42}
    assert f"{len(listed)} rows are listed in s.jsonl" in said


def test_strict_fails_where_something_is_found(experiment: Experiment) -> None:
    assert find(experiment, strict=True, as_json=False, output=None) == 1
    Path("table.csv").write_text("\n".join(TABLE[:-1]) + "\n")
    assert find(experiment, strict=True, as_json=False, output=None) == 0


def test_as_json(experiment: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    assert find(experiment, strict=False, as_json=True, output=None) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["conflicts"], record["labels"], record["unit"]) == (1, None, "texts")
    assert {row["problem"] for row in record["suspects"]} <= {"conflict", "leaked", "repeated"}
    assert record["words"]["train"]["longest"] == 5


def test_what_the_data_says_of_itself_is_told(experiment: Experiment, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (f"film number {i},{('a|b', 'b', 'b|a', 'a')[i % 4]}" for i in range(40))
    Path("table.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    assert find(experiment, strict=False, as_json=False, output=None) == 0
    assert "notes      many labels hold '|', as 'a|b' does" in capsys.readouterr().out
