from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from markupsafe import escape

from espalier.cli.report import main
from espalier.core.errors import UserError
from espalier.report.sweep_read import read_sweep
from report.sweep_files import grid


def test_of_one_run_lies_in_its_directory(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("done")
    assert main([str(directory)]) == 0
    assert capsys.readouterr().out == f"{directory.relative_to(Path.cwd())}/report.html\n"
    assert "mine" in (directory / "report.html").read_text()


def test_of_one_run_elsewhere(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    directory = made_run("done")
    assert main([str(directory), "output=page.html", "texts=false"]) == 0
    assert capsys.readouterr().out == "page.html\n"
    assert Path("page.html").is_file() and not (directory / "report.html").exists()


def test_a_run_may_be_named_as_other_commands_want_it(
    made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    directory = made_run("done")
    assert main([f"run={directory}"]) == 0
    assert capsys.readouterr().out == f"{directory.relative_to(Path.cwd())}/report.html\n"
    with pytest.raises(UserError) as raised:
        main(["run=nowhere"])
    assert raised.value.faults[0].what.endswith("/nowhere")


def test_of_several_runs_is_a_comparison(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(made_run("done")), str(made_run("done"))]) == 0
    assert capsys.readouterr().out == "comparison.html\n"
    assert "Espalier comparison" in Path("comparison.html").read_text()


def test_of_a_killed_run_says_how_to_go_on(made_run: Callable[..., Path]) -> None:
    directory = made_run("running", pid=2**22 + 1)
    assert main([str(directory)]) == 0
    page = (directory / "report.html").read_text()
    assert "It was killed." in page and "espalier train --resume" in page


def test_of_a_sweep_is_the_sweeps(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = grid(here / "outputs" / "mine" / "sweep-1", monkeypatch)
    assert main([str(sweep), "output=page.html"]) == 0
    assert capsys.readouterr().out == "page.html\n" and "Espalier sweep" in Path("page.html").read_text()
    assert Path("page.md").is_file() and Path("page.csv").is_file()


def test_a_sweeps_page_without_texts_has_no_logs_and_no_messages(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = grid(here / "outputs" / "mine" / "sweep-1", monkeypatch)
    why = next(trial.why for trial in read_sweep(sweep).trials if trial.state == "failed")
    for words, there in (([], True), (["texts=false"], False)):
        main([str(sweep), "output=page.html", *words])
        assert (escape(why) in Path("page.html").read_text()) is there


@pytest.mark.parametrize(
    ("words", "truth"),
    [
        ([], "needs a run directory."),
        (["nowhere"], "is not there (looked from"),
        (["nowhere", "outptu=x"], "is no setting of espalier report."),
        (["nowhere", "texts=no"], "is neither true nor false."),
        (["nowhere", "output=nowhere/page.html"], "lies in a folder that is not there: nowhere."),
        (["nowhere", "output=."], "is a folder."),
        (["nowhere", "output=page.pdf"], "is not the name of a page, which is .html or .htm."),
    ],
)
def test_mistakes(words: list[str], truth: str) -> None:
    with pytest.raises(UserError) as raised:
        main(words)
    assert any(fault.truth.startswith(truth) for fault in raised.value.faults)
