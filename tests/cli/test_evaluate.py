from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.cli.evaluate import main
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.errors import UserError
from espalier.core.facts import DataFacts
from espalier.core.rundir import write_facts

FACTS = DataFacts({"text": "text", "label": "label"}, {"": ("a", "b")}, {"train": 2})
DATA = {"fingerprint": "f", "origin": "here", "labels": ["a", "b"], "unit": "texts"}


@pytest.fixture
def stored(made_run: Callable[..., Path]) -> Callable[..., Path]:
    """A run that is done and got ``wrong`` of a hundred test rows wrong."""

    def make(wrong: int, **data: object) -> Path:
        accuracy = (100 - wrong) / 100
        directory = made_run(
            "done", metrics={"test/accuracy": accuracy, "validation/accuracy": 0.5}, data={**DATA, **data}
        )
        write_facts(directory, FACTS)
        target = np.arange(100) % 2
        prediction = np.where(np.arange(100) < wrong, 1 - target, target)
        columns = {
            "row": np.arange(100),
            "target": target,
            "prediction": prediction,
            "scores": list(np.eye(2)[prediction]),
        }
        (directory / "predictions").mkdir()
        pq.write_table(pa.table(columns), directory / "predictions" / "test.parquet")
        return directory

    return make


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of the process that this one would turn into."""
    words: list[str] = []
    monkeypatch.setattr(os, "execve", lambda program, command, environment: words.extend(command))
    return words


def test_two_runs_with_predictions_of_the_same_rows_need_no_model(
    stored: Callable[..., Path], called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    good, poor = stored(5), stored(30)
    assert main([f"run={poor}", "--against", str(good)]) == 0
    told = capsys.readouterr().out
    assert called == [] and "accuracy" in told and "-0.250" in told
    assert "B is better than A by 25.0 points of accuracy" in told
    left = poor / "evaluations" / f"test-against-{good.name}"
    assert json.loads((left / "evaluation.json").read_text())["paired"]["only_second"] == 25
    assert sorted(file.name for file in left.iterdir()) == [
        "against.parquet", "evaluation.json", "predictions.parquet",
    ]  # fmt: skip
    assert main([f"run={poor}", "--against", str(good), "output=my cmp"]) == 0
    assert Path("my cmp/evaluation.json").exists() and capsys.readouterr().out.endswith("\nmy cmp\n")
    with pytest.raises(UserError, match=r"cannot be written.*output=FOLDER"):
        main([f"run={poor}", "--against", str(good), "output=my cmp/evaluation.json"])


def test_how_rows_are_read_makes_them_no_others(stored: Callable[..., Path], called: list[str]) -> None:
    main([f"run={stored(5)}", "data.eval_batch_size=16", "data.num_workers=0", "hardware=cpu"])
    assert "--other-data" not in called and "--override=data.limit=null" not in called


@pytest.mark.parametrize("more", [{"fingerprint": "g"}, {"fingerprint": ""}], ids=["other rows", "unknown rows"])
def test_others_are_evaluated_on_the_same_rows(
    stored: Callable[..., Path], called: list[str], more: dict[str, str]
) -> None:
    one, other = stored(5, **more), stored(30, **({"fingerprint": ""} if not more["fingerprint"] else {}))
    main([f"run={one}", "--against", str(other)])
    assert f"--against={other}" in called


def test_other_data_are_handed_over_without_what_belonged_to_the_old(
    made_run: Callable[..., Path], called: list[str], here: Path
) -> None:
    for name in ("old", "test", "new"):
        (here / f"{name}.csv").write_text("text,label,country\na,x,y\n")
    directory = made_run("done")
    words = ["data=csv", "data.path=old.csv", "data.test_path=test.csv", "data.limit=10", "model=lstm", "adapter=full"]
    write(compose(words), directory)
    write_facts(directory, FACTS)
    main([f"run={directory}", "data.path=new.csv", "slice=country"])
    assert [word.partition("=")[2] for word in called if word.startswith("--override")] == [
        "data.path=new.csv", "data.limit=null", "data.test_path=null", "data.slices=[country]",
    ]  # fmt: skip
    assert "--other-data" in called


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("split=tests", "must be test or validation"),
        ("input=new.csv", "Write  data=csv data.path=new.csv"),
        ("splt=test", "Did you mean  split=test"),
        ("data=cvs", "Did you mean  data=csv"),
        ("data=csv data.path=nowhere.csv", "nowhere.csv"),
        ("model=lstm", "is no setting of this command"),
        ("--against nowhere", "--against nowhere  is not there"),
        ("slice=country", "this data option reads none"),
    ],
)
def test_mistakes_are_answered_before_anything_is_loaded(
    stored: Callable[..., Path], called: list[str], words: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        main([f"run={stored(5)}", *words.split()])
    assert called == []


def test_a_run_against_itself(stored: Callable[..., Path]) -> None:
    directory = stored(5)
    with pytest.raises(UserError, match="is the same run"):
        main([f"run={directory}", "--against", str(directory)])


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == main(["--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("espalier evaluate run=DIR") and max(map(len, told.splitlines())) <= 120
