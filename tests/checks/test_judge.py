from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.test_find import TABLE
from espalier.checks import judge
from espalier.config.compose import compose
from espalier.config.saved import write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment, as the command leaves it for the process that judges."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text("\n".join(TABLE) + "\n")
    write(compose(["data=csv", "data.path=table.csv", "model=lstm", "hardware=cpu"]), tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["judge", *words])
    return judge.main()


def test_what_is_counted_and_what_is_doubted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(folder), "--output", "s.jsonl") == 0
    said = capsys.readouterr().out
    assert "1 text with more than one label" in said
    assert "by words" in said
    listed = [json.loads(line) for line in (folder / "s.jsonl").read_text().splitlines()]
    assert {"conflict", "label"} <= {row["problem"] for row in listed}
    assert run(monkeypatch, str(folder), "--json", "--strict") == 1
    record = json.loads(capsys.readouterr().out)
    assert record["labels"]["rows"] == 41 and record["labels"]["features"] == "words"


def test_what_the_rows_lack_is_one_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "table.csv").write_text("text,label\na,1\nb,\n")
    assert run(monkeypatch, str(folder)) == 2
    assert "empty cells: 'label' on line 3" in capsys.readouterr().err


def test_rows_without_labels_are_counted_and_nothing_is_computed_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "words.jsonl").write_text('{"tokens": ["a", "b"], "tags": ["O", "B-x"]}\n' * 12)
    (folder / "book.txt").write_text("One line.\n" * 40)
    for words in (["data=tokens", "data.path=words.jsonl"], ["data=text_file", "data.path=book.txt"]):
        write(compose([*words, "model=lstm", "hardware=cpu"]), folder)
        assert run(monkeypatch, str(folder)) == 0, capsys.readouterr().err
