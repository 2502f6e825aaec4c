from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.compare import main
from espalier.core.errors import UserError


def test_two_runs(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    one = made_run("done", metrics={"test/accuracy": 0.5}, data={"fingerprint": "a"})
    other = made_run("done", metrics={"test/accuracy": 0.75}, data={"fingerprint": "b"})
    assert main([str(one), str(other)]) == 0
    told = capsys.readouterr().out
    assert main([f"run={one}", f"run={other}"]) == 0 and capsys.readouterr().out == told
    assert "test accuracy   0.500   0.750   +0.250" in told and "data's fingerprint   a   b" in told


def test_as_a_page(made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(made_run("done")), str(made_run("failed")), "--html", "c.html"]) == 0
    assert capsys.readouterr().out.endswith("\nc.html\n") and Path("c.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("page", ["nowhere/c.html", "."])
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_told(
    page: str, made_run: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match="--html"):
        main([str(made_run("done")), str(made_run("done")), "--html", page])
    assert not capsys.readouterr().out


def test_one_run_is_none_to_compare(made_run: Callable[..., Path]) -> None:
    one = str(made_run("done"))
    with pytest.raises(UserError, match="two runs or more, and was given 1"):
        main([one, one])


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("espalier compare RUN RUN")
