from __future__ import annotations

from pathlib import Path

import pytest

from espalier.cli.arguments import composing, file_to_write, run_directory
from espalier.core.errors import UserError


def test_flags_and_words_may_be_mixed() -> None:
    given = composing("espalier x").read(["a=1", "-cd", "one", "b=2", "--config-dir", "two", "~c", "+d=-3"])
    assert given.overrides == ["a=1", "b=2", "~c", "+d=-3"]
    assert given.config_dir == [Path("one"), Path("two")]
    assert composing("espalier x").read([]).overrides == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--config-dri", "x"], "--config-dir"),
        (["--xyz"], "espalier x --help"),
        (["--config-dir"], "expected one argument"),
        (["--conf", "x"], "is no flag"),
    ],
)
def test_mistakes(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        composing("espalier x").read(words)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--seed", "1"], "A setting has no dashes. Write  seed=1"),
        (["--epochs", "3", "seed=1"], "A setting has no dashes. Write  trainer.max_epochs=3"),
        (["--learning-rate=1e-3"], "A setting has no dashes. Write  optimizer.lr=1e-3"),
        (["--fp16", "seed=1"], "A setting has no dashes. Write  hardware.precision=16-mixed  on a GPU"),
        (["--model", "lstm"], "A setting has no dashes. Write  model=lstm"),
        (["--config-name", "mine"], "Write  experiment=mine"),
        (["-cn", "mine.yaml"], "Write  experiment=mine"),
        (["--config-path=my"], "Write  --config-dir my"),
        (["--foo", "1"], "See:  espalier x --help"),
    ],
)
def test_flags_of_other_tools(words: list[str], remedy: str) -> None:
    with pytest.raises(UserError) as refused:
        composing("espalier x").read(words)
    (fault,) = refused.value.faults
    assert fault.remedy.startswith(remedy)


def test_every_unknown_flag_is_named() -> None:
    with pytest.raises(UserError) as refused:
        composing("espalier x").read(["--a-b", "1", "--c-d", "2", "seed=1"])
    assert [fault.what for fault in refused.value.faults] == ["--a-b", "--c-d"]


def test_a_file_to_write_has_a_folder_and_is_none(tmp_path: Path) -> None:
    assert file_to_write("--html", tmp_path / "a.html") == tmp_path / "a.html"
    with pytest.raises(UserError, match=rf"--html {tmp_path}  is a folder\. Name a file in it"):
        file_to_write(f"--html {tmp_path}", tmp_path)
    with pytest.raises(UserError, match=r"lies in a folder that is not there: .*none\. Make it first"):
        file_to_write("--html", tmp_path / "none" / "a.html")


def test_a_run_is_named_with_and_without_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [run_directory(word) for word in ("a/b", "run=a/b", "run=~/b")] == [Path("a/b"), Path("a/b"), tmp_path / "b"]
    assert run_directory("run=") == Path("run=")
    Path("run=a").mkdir()
    assert run_directory("run=a") == Path("run=a")
