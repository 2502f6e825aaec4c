from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.runs import main


def test_none_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.strip()


def test_as_json(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("done", metrics={"test/accuracy": 0.5})
    assert main(["--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert record["status"] == "done" and record["metrics"] == {"test/accuracy": 0.5}
    assert Path(record["directory"]) == directory.relative_to(Path.cwd())


def test_as_a_table(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("failed", error="out of memory")
    assert main([]) == 0
    assert directory.name in capsys.readouterr().out


def test_elsewhere(made_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_run("done")
    assert main(["--json", "--output", str(tmp_path / "nothing")]) == 0
    assert capsys.readouterr().out == ""
