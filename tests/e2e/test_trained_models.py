"""A trained run as a person uses it: evaluated, compared, asked for predictions, started from."""

from __future__ import annotations

import csv
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from e2e.console import SMALL, espalier, outcome_of, run_directories, started

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runs")]


@pytest.fixture(scope="module")
def first(folder: Path) -> Path:
    """The finished run."""
    (directory,) = run_directories(folder)
    return directory


@pytest.fixture(scope="module")
def second(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only run of a folder of its own, which began with the weights of the first."""
    place = tmp_path_factory.mktemp("second")
    words = ("weights=outputs/latest", "seed=1", "tracking=none", f"output={place / 'outputs'}")
    done = espalier(folder, "train", *SMALL, *words)
    assert done.returncode == 0, done.stderr
    (directory,) = run_directories(place)
    return directory


def test_a_run_says_what_it_began_with(first: Path, second: Path) -> None:
    assert outcome_of(second)["summary"]["weights"].startswith(f"run {first} (step ")
    assert outcome_of(first)["summary"]["baseline"]["name"] == "logistic regression on words"


def test_evaluating_gives_the_metrics_of_the_runs_end(second: Path) -> None:
    done = espalier(second.parents[2], "evaluate", "run=outputs/latest")
    assert done.returncode == 0, done.stderr
    assert found(second)["accuracy"] == outcome_of(second)["metrics"]["test/accuracy"]
    assert "length" in done.stdout


def test_frozen_weights_that_were_drawn_once_are_the_same_ones_later(pair: Path, tmp_path: Path) -> None:
    probe = run_directories(pair)[-1]
    done = espalier(tmp_path, "evaluate", f"run={probe}")
    assert done.returncode == 0, done.stderr
    again, kept = found(probe), outcome_of(probe)["metrics"]
    assert (again["accuracy"], again["loss"]) == (kept["test/accuracy"], pytest.approx(kept["test/loss"], abs=1e-6))


def test_two_runs_of_the_same_rows_are_told_apart_or_not(first: Path, second: Path, tmp_path: Path) -> None:
    done = espalier(tmp_path, "evaluate", f"run={first}", "--against", str(second))
    assert done.returncode == 0, done.stderr
    assert "McNemar" in done.stdout or "right on the same rows" in done.stdout


def test_predictions_through_a_pipe(second: Path) -> None:
    folder = second.parents[2]
    (folder / "new.csv").write_text('id,text\n1,"where is my order, please"\n2,refund\n')
    done = espalier(folder, "predict", "run=outputs/latest", "input=new.csv", "output=-", "format=csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["id"] for row in rows] == ["1", "2"] and all(row["prediction"] for row in rows)


def test_ctrl_c_leaves_nothing_under_the_final_name(second: Path, tmp_path: Path) -> None:
    rows = "".join(f"{i},where is my order {i}\n" for i in range(1_500_000))
    (tmp_path / "many.csv").write_text("id,text\n" + rows)
    words = [f"run={second}", "input=many.csv", "output=out.csv"]
    process = started(tmp_path, "predict", *words)
    deadline = time.monotonic() + 120
    while not any(file.stat().st_size for file in tmp_path.glob(".out.csv.*.tmp")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (130, False)
    assert [file.name for file in tmp_path.iterdir()] == ["many.csv"]


def test_a_strangers_run_runs_no_code(second: Path, tmp_path: Path) -> None:
    config = second / "config.yaml"
    before = config.read_text()
    config.write_text(before.replace("espalier.adapter.full.full", "os.system"))
    (tmp_path / "new.csv").write_text("text\na\n")
    done = espalier(tmp_path, "predict", f"run={second}", "input=new.csv", "output=out.csv")
    config.write_text(before)
    assert done.returncode == 2 and "os.system" in done.stderr and not (tmp_path / "out.csv").exists()


def found(directory: Path) -> dict[str, Any]:
    """By an evaluation of the test split."""
    file = directory / "evaluations" / "test" / "evaluation.json"
    metrics: dict[str, Any] = json.loads(file.read_text())["metrics"]
    return metrics
