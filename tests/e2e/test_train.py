"""A run as a person sees it: trained, killed, resumed, listed, repeated."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from e2e.console import SMALL, espalier, outcome_of, run_directories, started, wandb_records

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("runs")]


def test_it_says_what_was_chosen_and_what_came_of_it(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    (directory,) = run_directories(folder)
    for words in (
        "lstm",
        "full trains all",
        "texts: train 64, validation 64, test 64",
        "cpu fp32",
        "epoch 1/2",
        "test accuracy",
        "--rerun",
        "wandb sync",
    ):
        assert words in said, words
    assert str(directory.relative_to(folder)) in said


def test_it_leaves_one_tracked_run_whose_metrics_are_those_of_the_file(folder: Path) -> None:
    (directory,) = run_directories(folder)
    steps = [r for r in wandb_records(directory) if "history" in r or r.get("type") == "history"]
    logged = (directory / "metrics.jsonl").read_text().splitlines()
    assert len(logged) == 8 + 2
    assert steps


def test_runs_lists_it_as_a_table_and_as_json(folder: Path) -> None:
    import json

    table = espalier(folder, "runs").stdout
    assert "done" in table and "support_intents-lstm-full" in table
    record = json.loads(espalier(folder, "runs", "--json").stdout)
    assert (folder / record["directory"] / "outcome.json").is_file()


def test_resuming_a_finished_run_says_so(folder: Path) -> None:
    done = espalier(folder, "train", "--resume", "outputs/latest")
    assert done.returncode == 0
    assert "is finished" in done.stdout


def test_killed_by_sigkill_and_resumed_it_ends_as_one_never_stopped(folder: Path, tmp_path: Path) -> None:
    words = [*SMALL, "callback.checkpoint.every_n_steps=1"]
    process = started(tmp_path, "train", *words)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("outputs/*/*/checkpoints/step-*/manifest.json")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "killed" in espalier(tmp_path, "runs").stdout
    again = espalier(tmp_path, "train", "--resume", "outputs/latest")
    assert again.returncode == 0, again.stderr
    (directory,), (undisturbed,) = run_directories(tmp_path), run_directories(folder)
    assert (directory / "metrics.jsonl").read_bytes() == (undisturbed / "metrics.jsonl").read_bytes()
    assert outcome_of(directory)["metrics"] == outcome_of(undisturbed)["metrics"]
    assert wandb_records(directory)  # one file of one run


def test_ctrl_c_ends_in_order_with_130(tmp_path: Path) -> None:
    process = started(
        tmp_path, "train", *SMALL, "trainer.max_epochs=2000", "callback=[checkpoint,progress]", "tracking=none"
    )
    while not list(tmp_path.glob("outputs/*/*/checkpoints/step-*/manifest.json")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in said
    (directory,) = run_directories(tmp_path)
    assert outcome_of(directory)["status"] == "interrupted"


def test_a_grid_checks_all_before_it_runs_any(tmp_path: Path) -> None:
    done = espalier(tmp_path, "train", "-m", *SMALL, "optimizer.lr=1e-3,-1")
    assert done.returncode == 2
    assert "must be > 0" in done.stderr
    assert run_directories(tmp_path) == []


def test_hydras_own_pair_runs_one_after_the_other(pair: Path) -> None:
    first, second = map(outcome_of, run_directories(pair))
    assert [run["summary"]["options"]["adapter"] for run in (first, second)] == ["full", "probe"]
    assert first["finished"] <= second["started"]
