from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.runs import main
from espalier.core.errors import UserError
from report.sweep_files import grid


def test_none_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.strip()


def test_as_json(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("done", metrics={"test/accuracy": 0.5})
    assert main(["--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert record["cost"]["samples_per_second"] is None  # nothing measured it
    assert record["status"] == "done" and record["metrics"] == {"test/accuracy": 0.5}
    assert Path(record["directory"]) == directory.relative_to(Path.cwd())


def test_as_a_table(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("failed", error="out of memory")
    assert main([]) == 0
    assert directory.name in capsys.readouterr().out


def test_elsewhere(made_run: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_run("done")
    (tmp_path / "empty").mkdir()
    assert main(["--output", "outputs"]) == 0 and "done" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"holds the runs of one name.*--output outputs"):
        main(["--output", str(next(Path("outputs").iterdir()))])
    assert main(["--json", "--output", str(tmp_path / "empty")]) == 0
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no folder"):
        main(["--output", str(tmp_path / "nowhere")])


def test_chosen_by_what_came_of_it(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    better = made_run("done", objective="validation/accuracy", metrics={"test/accuracy": 0.9})
    made_run("done", objective="validation/accuracy", metrics={"test/accuracy": 0.5})
    assert main(["--where", "metric > 0.8"]) == 0
    assert better.name in (told := capsys.readouterr().out) and told.count("mine/") == 1
    assert main(["--where", "metric > 1"]) == 0
    assert capsys.readouterr().out == "no run is like that\n"


def test_more_than_are_shown_are_counted(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        made_run("done")
    assert main(["--limit", "2"]) == 0
    assert capsys.readouterr().out.endswith("2 of 3 runs; --limit 0 shows all\n")
    with pytest.raises(UserError, match="less than none"):
        main(["--limit", "-1"])


def test_one_that_cannot_be_read_is_named(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    broken = made_run("done")
    (broken / "outcome.json").write_text("{")
    fine = made_run("done")
    assert main([]) == 0
    told = capsys.readouterr()
    assert fine.name in told.out and told.err == f"{broken.relative_to(Path.cwd())}/outcome.json cannot be read\n"


def test_a_sweep_is_a_line_and_its_trials_are_asked_for(
    here: Path, made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made_run("done")
    sweep = grid(here / "outputs" / "mine" / "sweep-2026-11-18_21-46-40-abc000", monkeypatch)
    assert main([]) == 0
    told = capsys.readouterr().out
    assert run.name in told and sweep.name in told and "25/28" in told and "trials/" not in told
    assert main(["--trials", "--limit", "0"]) == 0
    told = capsys.readouterr().out
    assert run.name in told and told.count(f"{sweep.name}/trials/") == 27
    assert main(["--where", f"sweep = '{sweep.name}' and status = 'failed'"]) == 0
    assert "trials/025" in (told := capsys.readouterr().out) and told.count("trials/") == 1
    run.rename(here / "elsewhere")
    assert main([]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:3] == ["when", "sweep", "of"]
    assert main(["--where", "accuracy > 0.5"]) == 0
    assert capsys.readouterr().out == "only sweeps were run: --trials looks at their trials\n"
    with pytest.raises(UserError, match="holds the runs of one name"):
        main(["--output", "outputs/mine"])


def test_sweeps_that_a_person_has_named_are_listed(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sst2", "agnews"):
        grid(here / "outputs" / name / "main", monkeypatch)
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(told.count(f"outputs/{name}/main") == 1 for name in ("sst2", "agnews")) and told.count("25/28") == 2
    assert main(["--where", "sweep = 'main' and status = 'failed'"]) == 0
    assert capsys.readouterr().out.count("main/trials/025") == 2
