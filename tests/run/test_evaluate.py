from __future__ import annotations

import json
from pathlib import Path

import pytest

from espalier.core.rundir import read_outcome
from espalier.report.predictions import read_predictions
from espalier.run.evaluate import main
from run.small_runs import WORDS, films, trained, write_films

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def directory(place: Path) -> Path:
    return trained(place, *WORDS, *films(write_films(place / "films.csv", 240)), "data.slices=[genre]")


def record(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "evaluation.json").read_text())
    return found


def test_its_own_test_rows_give_the_metrics_of_the_runs_end(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(directory)]) == 0
    found, outcome = record(directory / "evaluations" / "test"), read_outcome(directory)
    assert found["metrics"] == {k.removeprefix("test/"): v for k, v in outcome.metrics.items() if k.startswith("test/")}
    assert found["intervals"] == {k.removeprefix("test/"): list(v) for k, v in outcome.intervals.items()}
    again, stored = (
        read_predictions(file)
        for file in (directory / "evaluations/test/predictions.parquet", directory / "predictions/test.parquet")
    )
    assert again is not None and stored is not None and (again.scores == stored.scores).all()
    assert again.length is not None and set(again.slices["genre"]) <= {"drama", "comedy", "horror"}
    told = capsys.readouterr().out
    assert "genre" in told and "length" in told


def test_other_rows_are_all_of_a_file(directory: Path, tmp_path: Path) -> None:
    other = write_films(tmp_path / "new.csv", 40, start=1000)
    words = ["--other-data", f"--override=data.path={other}", f"--output={tmp_path / 'out'}"]
    assert main([str(directory), *words]) == 0
    found = record(tmp_path / "out")
    assert found["rows"] == 40 and found["origin"] == str(other)
    assert {one["name"] for one in found["slices"] if one["of"] == "genre"} == {"drama", "comedy", "horror"}  # type: ignore[attr-defined]


def test_rows_of_training_among_others_are_told(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "new.csv"
    other.write_text("review,genre,verdict\nA dull  and endless film,drama,bad\nsomething else,drama,good\n")
    assert main([str(directory), "--other-data", f"--override=data.path={other}", f"--output={tmp_path}"]) == 0
    assert record(tmp_path)["seen_in_training"] == 1
    assert "\nseen   1 of these rows stood in the training of this run: " in capsys.readouterr().out


def test_the_validation_rows(directory: Path, tmp_path: Path) -> None:
    assert main([str(directory), "--split=validation", f"--output={tmp_path}"]) == 0
    accuracy = record(tmp_path)["metrics"]["accuracy"]  # type: ignore[index]
    assert accuracy == pytest.approx(read_outcome(directory).metrics["validation/accuracy"])


def test_labels_that_the_model_lacks_are_named(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "new.csv"
    other.write_text("review,genre,verdict\na film,x,good\nanother,x,ugly\n")
    assert main([str(directory), "--other-data", f"--override=data.path={other}"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "'ugly' (line 3" in told and "labels that the model lacks" in told


def test_two_runs_on_the_same_new_rows(
    directory: Path, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poor = trained(place, *WORDS, *films(place / "films.csv"), "optimizer.lr=1e-9", "trainer.max_epochs=1")
    other = write_films(tmp_path / "new.csv", 60, start=1000)
    words = ["--other-data", f"--override=data.path={other}", f"--output={tmp_path / 'out'}", f"--against={poor}"]
    assert main([str(directory), *words]) == 0
    found = record(tmp_path / "out")
    assert found["A"]["rows"] == found["B"]["rows"] == 60  # type: ignore[index]
    assert "A is better than B" in capsys.readouterr().out
    assert (tmp_path / "out" / "against.parquet").is_file()
