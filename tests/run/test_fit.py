"""A run in this process: what it leaves, how it ends, how it goes on."""

from __future__ import annotations

import itertools
import json
import re
import resource
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import read, write
from espalier.core.errors import DataError, UserError
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.rundir import create, read_outcome, write_outcome
from espalier.report.predictions import read_predictions
from espalier.run import result
from espalier.run.fit import run
from espalier.run.footprint import written_bytes
from espalier.run.stop import Stop

SMALL = (
    "model=lstm", "adapter=full", "hardware=cpu", "tracking=none", "data.limit=64", "data.batch_size=16",
    "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "task.bootstrap=50",
    "callback=[checkpoint,early_stopping,throughput]",
)  # fmt: skip


def prepared(folder: Path, *words: str) -> Path:
    experiment = compose([*SMALL, *words])
    check(experiment)
    directory = create(folder, "small")
    write(experiment, directory)
    return directory


def train(directory: Path, *, resume: bool = False) -> Outcome:
    with Stop(directory) as stop:
        return run(read(directory), directory, stop, resume=resume)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = prepared(tmp_path_factory.mktemp("runs"))
    train(directory)
    return directory


def test_a_finished_run_leaves_what_the_readme_promises(finished: Path) -> None:
    for name in (
        "config.yaml",
        "outcome.json",
        "metrics.jsonl",
        "checkpoints",
        "predictions/test.parquet",
        "model/README.md",
        "report.html",
    ):
        assert (finished / name).exists(), name
    assert (finished.parent.parent / "latest").resolve() == finished


def test_its_outcome_is_plain_and_whole(finished: Path) -> None:
    outcome = json.loads((finished / "outcome.json").read_text())
    assert (outcome["status"], outcome["epochs"], outcome["steps"]) == ("done", 2, 8)
    for metric in ("accuracy", "precision_macro", "recall_micro", "f1_weighted", "auroc"):
        low, high = outcome["intervals"][f"test/{metric}"]
        assert low <= outcome["metrics"][f"test/{metric}"] <= high or metric == "auroc"
        assert f"validation/{metric}" in outcome["metrics"]
    assert outcome["cost"]["samples_per_second"] > 0
    assert outcome["cost"]["tokens_per_second"] > outcome["cost"]["samples_per_second"]
    assert outcome["cost"]["trained_parameters"] == outcome["cost"]["parameters"] > 10_000
    assert outcome["data"]["counts"]["train"] == {"read": 1274, "kept": 64, "dropped": {"limit": 1210}, "truncated": 0}


def test_predictions_bear_out_the_accuracy(finished: Path) -> None:
    predictions: Any = read_predictions(finished / "predictions" / "test.parquet")
    share = (predictions.prediction == predictions.target).mean()
    assert share == pytest.approx(read_outcome(finished).metrics["test/accuracy"])
    examples = [json.loads(line) for line in (finished / "predictions" / "examples.jsonl").read_text().splitlines()]
    assert all(example["target"] != example["prediction"] and example["text"] for example in examples)


def test_the_same_seed_gives_the_same_metrics(finished: Path, tmp_path: Path) -> None:
    again = prepared(tmp_path)
    train(again)
    assert (again / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    assert read_outcome(again).metrics == read_outcome(finished).metrics


def test_a_signal_ends_it_and_a_resume_makes_up_for_it(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = prepared(tmp_path)
    with Stop(directory) as stop:
        stop.heard = signal.SIGTERM
        outcome = run(read(directory), directory, stop, resume=False)
    assert (outcome.status, outcome.steps) == ("interrupted", 1)
    assert read_outcome(directory).status == "interrupted"
    train(directory, resume=True)
    assert (directory / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    assert read_outcome(directory).metrics == read_outcome(finished).metrics


def test_a_resume_without_a_checkpoint_begins_anew(finished: Path, tmp_path: Path) -> None:
    directory = prepared(tmp_path)
    (directory / "metrics.jsonl").write_text('{"step": 1, "epoch": 0, "train/loss": 9.0}\n')
    train(directory, resume=True)
    assert (directory / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()


def test_a_run_that_breaks_keeps_its_directory_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = prepared(tmp_path)

    def broken(*_: Any) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("espalier.task.classification.Classification.training_step", broken)
    outcome = train(directory)
    assert (outcome.status, outcome.error) == ("failed", "RuntimeError: out of luck")
    assert "out of luck" in (directory / "traceback.txt").read_text()
    assert "out of luck" in (directory / "report.html").read_text()
    said = capsys.readouterr()
    assert "failed before the first step: RuntimeError: out of luck" in said.out
    assert "RuntimeError: out of luck" not in said.err and "in broken" in said.err


def test_a_run_whose_report_cannot_be_made_is_done_and_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = prepared(tmp_path, "trainer.max_epochs=1")
    (directory / "report.html").mkdir()  # a file cannot take its place
    assert train(directory).status == read_outcome(directory).status == "done"
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("report.html could not be made (IsADirectoryError: ")
    assert last.endswith(f"again:  espalier report {directory}")


def test_bad_data_is_the_users_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.csv").write_text("text,label\na,x\nb,x\n")
    directory = prepared(tmp_path, "data=csv", "data.path=one.csv")
    with pytest.raises(DataError, match="one class only"):
        train(directory)


def test_without_a_test_split_validation_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.csv").write_text(
        "text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} {i},{i % 2}\n" for i in range(80))
    )
    directory = prepared(tmp_path, "data=csv", "data.path=two.csv", "data.split={validation: 0.2, test: 0.0}")
    train(directory)
    outcome = read_outcome(directory)
    assert outcome.status == "done"
    assert not any(name.startswith("test/") for name in outcome.metrics)
    assert "validation/accuracy" in outcome.intervals
    assert (directory / "predictions" / "validation.parquet").is_file()


def test_a_resume_with_other_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{'good' if i % 2 else 'bad'} {i},{i % 2}\n" for i in range(80)]
    Path("two.csv").write_text("text,label\n" + "".join(rows))
    directory = prepared(tmp_path, "data=csv", "data.path=two.csv")
    with Stop(directory) as stop:
        stop.heard = signal.SIGTERM
        run(read(directory), directory, stop, resume=False)
    Path("two.csv").write_text("text,label\n" + "".join(reversed(rows)))
    with pytest.raises(UserError, match="the rows  are not those that the run began with"):
        train(directory, resume=True)


def test_a_resume_adds_up_its_time(finished: Path, tmp_path: Path) -> None:
    directory = prepared(tmp_path)
    with Stop(directory) as stop:
        stop.heard = signal.SIGTERM
        first = run(read(directory), directory, stop, resume=False)
    last = train(directory, resume=True)
    assert last.cost.wall_seconds > first.cost.wall_seconds > 0
    assert last.started == first.started


def test_a_run_ends_in_order_when_its_time_is_over(tmp_path: Path) -> None:
    directory = prepared(tmp_path, "trainer.max_time=0.0001", "trainer.max_epochs=-1", "scheduler=constant")
    outcome = train(directory)
    assert (outcome.status, outcome.steps) == ("done", 1)
    assert outcome.summary["ended"].startswith("trainer.max_time")
    assert outcome.best and {"validation/accuracy", "test/accuracy"} <= outcome.metrics.keys()


def test_a_schedule_that_does_not_fit_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    directory = prepared(tmp_path, "trainer.max_epochs=-1", "scheduler=linear")
    with pytest.raises(UserError, match="needs a last step"):
        train(directory)
    assert not (directory / "metrics.jsonl").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "OutOfMemoryError: CUDA out of memory.",
        ),
        (MemoryError("no more"), "MemoryError: no more"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "RuntimeError: [enforce fail]"),
    ],
)
def test_a_run_that_ran_out_of_memory_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    directory = prepared(tmp_path, "trainer.max_epochs=1")

    def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr("espalier.task.classification.Classification.training_step", broken)
    outcome = train(directory)
    assert outcome.status == "failed" and outcome.error.startswith(f"out of memory: {said}")


def test_what_another_rank_said_before_is_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = prepared(tmp_path, "trainer.max_epochs=1")

    def broken(*_: Any) -> None:
        told = replace(read_outcome(directory), status="failed", error="out of memory: MemoryError: no more")
        write_outcome(directory, told)
        raise RuntimeError("Connection closed by peer")

    monkeypatch.setattr("espalier.task.classification.Classification.training_step", broken)
    assert train(directory).error == read_outcome(directory).error == "out of memory: MemoryError: no more"
    assert "Connection closed" in (directory / "traceback.txt").read_text()


def test_numbers_that_go_bad_end_it_with_rows_and_the_last_good_checkpoint(tmp_path: Path) -> None:
    directory = prepared(
        tmp_path, "callback=[checkpoint,bad_steps]", "callback.checkpoint.every_n_steps=1", "callback.bad_steps.most=1",
        "optimizer=sgd", "optimizer.lr=3e38", "scheduler=constant", "trainer.gradient_clip_val=null",
    )  # fmt: skip
    outcome = train(directory)
    assert outcome.status == read_outcome(directory).status == "failed"
    assert re.search(r"2 bad steps, the last of them step \d: the loss is (nan|inf); rows \d+", outcome.error)
    kept = sorted(path.name for path in (directory / "checkpoints").glob("step-*"))
    assert f"The last good checkpoint: {directory}/checkpoints/{kept[-1]}." in outcome.error


def test_a_run_whose_files_are_not_there_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = prepared(tmp_path, "trainer.max_epochs=1")
    monkeypatch.setattr("espalier.run.result.save_model", lambda *_: None)
    outcome = train(directory)
    assert outcome.status == read_outcome(directory).status == "failed"
    assert outcome.error == "RunFailedError: these files of the run are not there: model/"


def test_a_run_that_goes_on_needs_no_room_for_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = prepared(tmp_path)
    assert train(directory).status == "done"
    held, usage = written_bytes(directory), shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=held // 2))
    for room, status in ((held // 2, "done"), (0, "failed")):
        if not room:
            shutil.rmtree(directory / "checkpoints")
            shutil.rmtree(directory / "model")
        assert train(directory, resume=True).status == status


@pytest.mark.parametrize(("room", "on_disk"), [(0, "running"), (9_000, "failed")])
def test_a_disk_that_is_full_at_the_end_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], room: int, on_disk: str
) -> None:
    """With no room at all, not even that can be written; the outcome that stands is that of a run to be resumed."""
    directory = prepared(tmp_path, "trainer.max_epochs=1")
    save = result.save_model

    def with_little_room(*given: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        save(*given)

    monkeypatch.setattr("espalier.run.result.save_model", with_little_room)
    try:
        outcome = train(directory)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert outcome.status == "failed" and "File too large" in outcome.error
    assert read_outcome(directory).status == on_disk
    monkeypatch.undo()
    assert train(directory, resume=True).status == "done"


def test_a_disk_that_is_full_for_a_while_costs_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = prepared(tmp_path)
    log, lines = MetricsFile.log, itertools.count(1)

    def with_little_room(*given: Any) -> None:
        full = 3 <= next(lines) <= 6  # the first epoch's checkpoint among them
        resource.setrlimit(resource.RLIMIT_FSIZE, (0 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        log(*given)

    monkeypatch.setattr(MetricsFile, "log", with_little_room)
    outcome = train(directory)
    assert outcome.status == read_outcome(directory).status == "done"
    assert (directory / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    said = capsys.readouterr().err
    assert said.count("metrics.jsonl cannot be written") == said.count("step 4 is not saved") == 1


def test_a_resume_that_breaks_before_it_goes_on_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = prepared(tmp_path)
    with Stop(directory) as stop:
        stop.heard = signal.SIGTERM
        first = run(read(directory), directory, stop, resume=False)

    def broken(*_: Any) -> None:
        raise RuntimeError("no room on the device")

    monkeypatch.setattr("pytorch_lightning.strategies.SingleDeviceStrategy.setup", broken)
    last = train(directory, resume=True)
    assert (last.status, last.steps, last.cost.train_seconds) == ("failed", first.steps, first.cost.train_seconds)
    assert "espalier train --resume" in capsys.readouterr().out
