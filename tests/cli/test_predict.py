from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.cli.predict import main
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.errors import UserError
from espalier.core.facts import DataFacts
from espalier.core.rundir import write_facts

FACTS = DataFacts({"text": "text", "label": "label"}, {"": ("a", "b")}, {"train": 2})


@pytest.fixture
def run(made_run: Callable[..., Path]) -> str:
    """A run that is done, and a table."""
    directory = made_run("done")
    write_facts(directory, FACTS)
    Path("new.csv").write_text("review,text,n\na,b,1\n")
    return str(directory)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of the process that this one would turn into."""
    words: list[str] = []
    monkeypatch.setattr(os, "execve", lambda program, command, environment: words.extend(command))
    return words


def test_it_hands_over_what_was_asked(run: str, called: list[str]) -> None:
    main([f"run={run}", "input=new.csv", "output=out.jsonl", "column=review", "scores=true", "hardware.threads=2"])
    assert called[1:4] == ["-m", "espalier.run.predict", run]
    for words in (
        ["--input", "new.csv", "--input-kind", "csv"],
        ["--output", "out.jsonl", "--output-kind", "jsonl"],
        ["--scores", "--column=text=review", "--override=hardware.threads=2"],
    ):
        assert " ".join(words) in " ".join(called)


def test_a_task_s_own_settings_may_be_others(run: str, called: list[str]) -> None:
    main([f"run={run}", "input=new.csv", "output=o.csv", "column=review", "task.head_dropout=0.5"])
    assert "--override=task.head_dropout=0.5" in called


def test_the_runs_own_column_is_the_default(run: str, called: list[str]) -> None:
    main([f"run={run}", "input=-", "output=-", "format=csv"])
    assert "--column=text=text" in called


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("input=new.csv", "output  is not given. Write  output=FILE"),
        ("input=new.csv output=o.csv colum=x", "Did you mean  column=x"),
        ("input=nw.csv output=o.csv", "input=nw.csv  is not there"),
        ("input=. output=o.csv", "input=.  holds no image"),
        ("input=new.csv output=o.xls", "output=o.xls  is of no known kind"),
        ("input=new.csv output=-", "Add  format=csv"),
        ("input=new.csv output=new.csv", "is the input"),
        ("input=new.csv output=no/o.csv", "a folder that is not there"),
        ("input=new.csv output=o.csv column=revew", "Did you mean  column=review"),
        ("input=new.csv output=o.csv column.image=n", "Did you mean  column.text="),
        ("input=new.csv output=o.csv scores=yes", "must be true or false"),
        ("input=new.csv output=o.csv hardware.thread=2", "Did you mean  hardware.threads"),
        ("input=new.csv output=o.csv model=bag", "is no setting of this command"),
        ("input=new.csv output=o.csv task.head_dropot=0", "Did you mean  task.head_dropout"),
        ("input=new.csv output=o.csv task=multilabel", "the run's task stays what it is"),
    ],
)
def test_mistakes_are_answered_before_anything_is_loaded(run: str, called: list[str], words: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        main([f"run={run}", *words.split()])
    assert called == []


@pytest.fixture
def photos(made_run: Callable[..., Path]) -> str:
    """A run of images that is done, images, and a table of them."""
    directory = made_run("done")
    write_facts(directory, DataFacts({"image": "image", "label": "label"}, {"": ("a", "b")}, {"train": 2}, (3, 4, 4)))
    Path("photos").mkdir()
    for name in ("a.png", "b.jpg"):
        Path("photos", name).write_bytes(b"")
    Path("list.csv").write_text("n,path\n1,photos/a.png\n")
    return str(directory)


@pytest.mark.parametrize(
    ("given", "kind", "column"),
    [
        ("photos", "images", "path"),
        ("photos/*.png", "images", "path"),
        ("photos/a.png", "images", "path"),
        ("list.csv", "csv", "path"),
        ("list.csv column=n", "csv", "n"),
    ],
)
def test_images_by_their_files(photos: str, called: list[str], given: str, kind: str, column: str) -> None:
    main([f"run={photos}", *f"input={given}".split(), "output=out.csv"])
    said = " ".join(called)
    assert f"--input {given.split()[0]} --input-kind {kind}" in said and f"--column=image={column}" in said


@pytest.fixture
def generator(photos: str) -> str:
    """A run of a model that makes images, whose judge is not there any more."""
    words = ["task=gan", "model=gan", "data=mnist", "adapter=full", "task.judge=outputs/gone"]
    write(compose(words), Path(photos))
    Path("seeds.csv").write_text("seed,n\n1,2\n")
    return photos


@pytest.mark.parametrize(
    ("given", "columns"), [("list.csv", ""), ("seeds.csv", ""), ("seeds.csv column=n", "--column=seed=n")]
)
def test_a_table_for_a_model_that_makes_images(generator: str, called: list[str], given: str, columns: str) -> None:
    main([f"run={generator}", *f"input={given}".split(), "output=out.jsonl"])
    assert [word for word in called if word.startswith("--column")] == columns.split()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("column=m", r"column=m  is no column of seeds\.csv"),
        ("column.image=n", r"that the model does not read: image.*column\.seed="),
    ],
)
def test_mistakes_with_seeds(generator: str, called: list[str], word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        main([f"run={generator}", "input=seeds.csv", "output=o.csv", word])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("input=photos/*.tif", "is no image that is there"),
        ("input=.hidden", "is of no known kind"),
        ("input=photos column=n", "names a column, and the input is no table"),
        ("input=empty", "holds no image"),
    ],
)
def test_mistakes_with_images(photos: str, called: list[str], words: str, said: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(UserError, match=said):
        main([f"run={photos}", "output=o.csv", *words.split()])
    assert called == []


def test_a_folder_is_nothing_to_a_model_of_texts(run: str, called: list[str]) -> None:
    Path("photos").mkdir()
    Path("photos/a.png").write_bytes(b"")
    with pytest.raises(UserError, match="input=photos  is images, and the run reads text"):
        main([f"run={run}", "input=photos", "output=o.csv"])


def test_a_column_of_that_name_is_not_replaced(run: str, called: list[str]) -> None:
    Path("new.csv").write_text("text,score\na,1\n")
    with pytest.raises(UserError, match=r"score  is a column of new\.csv already"):
        main([f"run={run}", "input=new.csv", "output=o.csv"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], r"new.csv  has no column 'text', which is what the run read. Did you mean  'column=my text' \?"),
        (["column=zzz"], r"It has: my text, n, z.  Name yours with  column=…"),
        (["column=my tex"], r"column=my tex  is no column of new.csv. Did you mean  'column=my text' \?"),
    ],
)
def test_columns_with_blanks_are_quoted_for_the_shell(run: str, called: list[str], words: list[str], said: str) -> None:
    Path("new.csv").write_text("my text,n,z\na,1,2\n")
    with pytest.raises(UserError, match=said):
        main([f"run={run}", "input=new.csv", "output=o.csv", *words])


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("espalier predict run=DIR") and max(map(len, told.splitlines())) <= 120


def test_it_is_quick_to_refuse(script: Callable[..., object]) -> None:
    done = script("predict", "run=nowhere", "input=a.csv", "output=b.csv", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 2  # type: ignore[attr-defined]
    assert "import time" in done.stderr and " torch\n" not in done.stderr  # type: ignore[attr-defined]
