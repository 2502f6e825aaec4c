from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.settings import read_settings, trained_run
from espalier.core.errors import UserError

KNOWN = {"run": "outputs/latest", "input": "FILE", "format": ""}


def test_words_are_sorted() -> None:
    words = ["run=a", "hardware=cpu", "input=b=c", "hardware.threads=2"]
    assert read_settings(words, KNOWN, ["hardware"]) == (
        {"run": "a", "input": "b=c"},
        ["hardware=cpu", "hardware.threads=2"],
    )


def test_every_fault_is_told() -> None:
    with pytest.raises(UserError) as raised:
        read_settings(["run=a", "run=b", "formt=csv", "optimizer.lr=1"], KNOWN, ["hardware"])
    told = [str(fault) for fault in raised.value.faults]
    assert told[0] == "run=b  is set twice: run=a too. Leave one of them out."
    assert told[1] == "formt=csv  is no setting of this command. Did you mean  format=csv ?"
    assert told[2].endswith("There are: run, input, format, hardware.")


def test_what_is_missing_is_asked_for() -> None:
    with pytest.raises(UserError, match=r"input  is not given\. Write  input=FILE"):
        read_settings(["run=a"], KNOWN, [])


def test_a_bare_folder_was_meant_to_be_the_run(here: Path) -> None:
    (here / "outputs").mkdir()
    with pytest.raises(UserError, match="Did you mean  run=outputs"):
        read_settings(["outputs"], KNOWN, [])


def test_a_bare_file_was_meant_to_be_what_is_read(here: Path) -> None:
    (here / "new.csv").touch()
    with pytest.raises(UserError, match=r"Did you mean  input=new\.csv"):
        read_settings(["run=a", "new.csv"], KNOWN, [])
    with pytest.raises(UserError, match=r"Did you mean  data\.path=new\.csv"):
        read_settings(["run=a", "new.csv"], {"run": "a"}, ["data"])


def test_a_run_that_is_done(made_run: Callable[..., Path], here: Path) -> None:
    directory = made_run("done")
    with pytest.raises(UserError, match=r"it has no facts\.json"):
        trained_run("run=", str(directory))
    (directory / "facts.json").write_text("{}")
    (here / "outputs" / "latest").symlink_to(directory)
    assert trained_run("run=", "outputs/latest") == directory


@pytest.mark.parametrize("status", ["interrupted", "failed", "running"])
def test_a_run_that_is_not(made_run: Callable[..., Path], status: str) -> None:
    with pytest.raises(UserError, match="--resume"):
        trained_run("run=", str(made_run(status)))


def test_no_run(here: Path) -> None:
    with pytest.raises(UserError, match="run=nowhere  is not there"):
        trained_run("run=", "nowhere")
