"""A trained run as a person uses it: evaluated, compared, asked for predictions, started from."""

from __future__ import annotations

import csv
import json
import signal
import time
from pathlib import Path

import pytest

from e2e.console import SMALL, espalier, outcome_of, run_directories, started

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with two finished runs, the second of which began with the first one's weights."""
    folder = tmp_path_factory.mktemp("work")
    for words in ((), ("weights=outputs/latest", "seed=1")):
        done = espalier(folder, "train", *SMALL, "tracking=none", *words)
        assert done.returncode == 0, done.stderr
    return folder


def test_a_run_says_what_it_began_with(folder: Path) -> None:
    first, second = run_directories(folder)
    assert outcome_of(second)["summary"]["weights"].startswith(f"run {first} (step ")
    assert outcome_of(first)["summary"]["baseline"]["name"] == "bag of words"


def test_evaluating_gives_the_metrics_of_the_runs_end(folder: Path) -> None:
    done = espalier(folder, "evaluate", "run=outputs/latest")
    assert done.returncode == 0, done.stderr
    directory = run_directories(folder)[-1]
    found = json.loads((directory / "evaluations" / "test" / "evaluation.json").read_text())
    assert found["metrics"]["accuracy"] == outcome_of(directory)["metrics"]["test/accuracy"]
    assert "length" in done.stdout


def test_frozen_weights_that_were_drawn_once_are_the_same_ones_later(tmp_path: Path) -> None:
    done = espalier(tmp_path, "train", *SMALL, "adapter=probe", "tracking=none")
    assert done.returncode == 0, done.stderr
    done = espalier(tmp_path, "evaluate", "run=outputs/latest")
    assert done.returncode == 0, done.stderr
    (directory,) = run_directories(tmp_path)
    found = json.loads((directory / "evaluations" / "test" / "evaluation.json").read_text())["metrics"]
    kept = outcome_of(directory)["metrics"]
    assert (found["accuracy"], found["loss"]) == (kept["test/accuracy"], pytest.approx(kept["test/loss"], abs=1e-6))


def test_two_runs_of_the_same_rows_are_told_apart_or_not(folder: Path) -> None:
    first, second = run_directories(folder)
    done = espalier(folder, "evaluate", f"run={first}", "--against", str(second))
    assert done.returncode == 0, done.stderr
    assert "McNemar" in done.stdout or "right on the same rows" in done.stdout


def test_predictions_through_a_pipe(folder: Path) -> None:
    (folder / "new.csv").write_text('id,text\n1,"where is my order, please"\n2,refund\n')
    done = espalier(folder, "predict", "run=outputs/latest", "input=new.csv", "output=-", "format=csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["id"] for row in rows] == ["1", "2"] and all(row["prediction"] for row in rows)


def test_ctrl_c_leaves_nothing_under_the_final_name(folder: Path, tmp_path: Path) -> None:
    rows = "".join(f"{i},where is my order {i}\n" for i in range(1_500_000))
    (tmp_path / "many.csv").write_text("id,text\n" + rows)
    words = [f"run={run_directories(folder)[-1]}", "input=many.csv", "output=out.csv"]
    process = started(tmp_path, "predict", *words)
    deadline = time.monotonic() + 120
    while not any(file.stat().st_size for file in tmp_path.glob(".out.csv.*.tmp")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (130, False)
    assert [file.name for file in tmp_path.iterdir()] == ["many.csv"]


def test_a_strangers_run_runs_no_code(folder: Path, tmp_path: Path) -> None:
    directory = run_directories(folder)[0]
    config = directory / "config.yaml"
    before = config.read_text()
    config.write_text(before.replace("espalier.adapter.full.full", "os.system"))
    (tmp_path / "new.csv").write_text("text\na\n")
    done = espalier(tmp_path, "predict", f"run={directory}", "input=new.csv", "output=out.csv")
    config.write_text(before)
    assert done.returncode == 2 and "os.system" in done.stderr and not (tmp_path / "out.csv").exists()
