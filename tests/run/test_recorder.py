from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from core.disk import full_disk
from espalier.core.metrics_file import MetricsFile, read_metrics
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.run.recorder import Guarded, Recorder, StepLog
from espalier.tracking.csv import Csv
from espalier.tracking.memory import Memory


def trainer(step: int, *, accumulating: bool = False) -> Any:
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.5}])
    loop = SimpleNamespace(
        _should_accumulate=lambda: accumulating,
        max_steps=-1,
        max_epochs=2,
        epoch_loop=SimpleNamespace(_num_ready_batches_reached=lambda: step % 6 == 0),
        epoch_progress=SimpleNamespace(current=SimpleNamespace(processed=step // 6 - 1)),
    )
    return SimpleNamespace(
        global_step=step, current_epoch=1, world_size=1, should_stop=False, fit_loop=loop, optimizers=[optimizer]
    )


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(MetricsFile(tmp_path / "metrics.jsonl"), [Memory()])
    made.trainer = trainer(7)
    return made


def lines(recorder: Recorder) -> list[dict[str, Any]]:
    return read_metrics(recorder.file._path)


def test_metrics_stand_under_the_steps_done_not_under_lightnings_number(recorder: Recorder) -> None:
    recorder.log_metrics({"validation/accuracy": 0.5, "epoch": 1.0}, step=6)
    assert lines(recorder) == [{"step": 7, "epoch": 1, "validation/accuracy": 0.5}]


def test_trackers_get_what_the_file_gets_with_epochs_from_one(recorder: Recorder) -> None:
    recorder.log_metrics({"a": 1.0})
    memory: Any = recorder.trackers[0]
    assert memory.rows == [(7, {"a": 1.0, "epoch": 2})]


def test_nothing_is_recorded_after_training(recorder: Recorder) -> None:
    recorder.close()
    recorder.log_metrics({"validation/accuracy": 0.5})
    assert lines(recorder) == []


def test_step_log_writes_the_mean_of_a_steps_micro_batches(recorder: Recorder) -> None:
    log = StepLog(1, recorder)
    log.on_train_batch_start(trainer(6))  # type: ignore[arg-type]
    for loss, accumulating in ((1.0, True), (2.0, False)):
        log.on_train_batch_end(trainer(7, accumulating=accumulating), None, {"loss": torch.tensor(loss)}, None, 0)  # type: ignore[arg-type]
    assert lines(recorder) == [{"step": 7, "epoch": 1, "train/loss": 3.0, "lr": 0.5}]


def test_step_log_writes_every_so_many_steps_the_first_and_the_last(recorder: Recorder) -> None:
    log = StepLog(5, recorder)
    for step in range(1, 13):
        recorder.trainer = trainer(step)
        log.on_train_batch_end(trainer(step), None, {"loss": torch.tensor(1.0)}, None, 0)  # type: ignore[arg-type]
    assert [line["step"] for line in lines(recorder)] == [1, 5, 10, 12]


def test_step_log_passes_over_tasks_that_optimize_by_hand(recorder: Recorder) -> None:
    StepLog(1, recorder).on_train_batch_end(trainer(1), None, None, None, 0)  # type: ignore[arg-type]
    assert lines(recorder) == []


def test_step_log_tells_the_rate_that_the_step_took(recorder: Recorder) -> None:
    log, before, after = StepLog(1, recorder), trainer(6), trainer(7)
    after.optimizers[0].param_groups[0]["lr"] = 0.25
    log.on_train_batch_start(before)  # type: ignore[arg-type]
    log.on_train_batch_end(after, None, {"loss": torch.tensor(1.0)}, None, 0)  # type: ignore[arg-type]
    assert lines(recorder)[0]["lr"] == 0.5


def test_step_log_tells_the_highest_of_several_rates(recorder: Recorder) -> None:
    log, before = StepLog(1, recorder), trainer(6)
    before.optimizers[0].param_groups.append({"lr": 0.75})
    log.on_train_batch_start(before)  # type: ignore[arg-type]
    log.on_train_batch_end(trainer(7), None, {"loss": torch.tensor(1.0)}, None, 0)  # type: ignore[arg-type]
    assert lines(recorder)[0]["lr"] == 0.75


def test_step_log_tells_a_rate_that_a_validation_lowered(recorder: Recorder) -> None:
    log, now = StepLog(1, recorder), trainer(6)
    log.on_train_batch_start(now)
    log.on_train_batch_end(now, None, {"loss": torch.tensor(1.0)}, None, 0)  # type: ignore[arg-type]
    now.optimizers[0].param_groups[0]["lr"] = 0.25  # a plateau schedule, after the step's end
    log.on_train_batch_start(now)
    log.on_train_batch_end(now, None, {"loss": torch.tensor(1.0)}, None, 0)  # type: ignore[arg-type]
    assert [line["lr"] for line in lines(recorder)] == [0.5, 0.25]


@pytest.mark.parametrize("texts", [True, False])
def test_a_tracker_that_takes_pages_says_whether_texts_may_be_in_them(texts: bool) -> None:
    class Takes(Memory):
        def attach(self, page: str, /) -> None:
            self.page = page

    tracker: Any = Takes()
    tracker.texts = texts
    Guarded(tracker).attach(lambda with_texts: f"page {with_texts}")
    assert tracker.page == f"page {texts}"


def test_a_tracker_that_takes_none_is_not_made_one() -> None:
    Guarded(Memory()).attach(lambda _: pytest.fail("nobody asked for it"))


def test_a_tracker_that_breaks_is_told_once_and_ends_nothing() -> None:
    class Broken(Memory):
        def log(self, metrics: Any, step: int, /) -> None:
            raise ConnectionError("no route")

    guarded = Guarded(Broken())
    for step in range(3):
        guarded.log({"a": 1.0}, step)
    assert "no route" in guarded.finish(Outcome("done", "n", 0, "", 1, "host"))


def test_a_full_disk_is_told_once_and_no_line_is_lost(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    with full_disk(0):
        recorder.log_metrics({"a": 1.0})
        recorder.log_metrics({"a": 2.0})
    recorder.log_metrics({"a": 3.0})
    assert [line["a"] for line in lines(recorder)] == [1.0, 2.0, 3.0]
    assert capsys.readouterr().err.count("metrics.jsonl cannot be written: File too large") == 1


def test_one_of_our_own_says_how_the_gap_is_filled(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").mkdir()
    guarded = Guarded(Csv())
    guarded.start(RunInfo(tmp_path, "n", "3fa9c1", {}))
    said = guarded.finish(Outcome("done", "n", 0, "", 1, "host"))
    again = f"metrics.jsonl has everything, and sends it:  espalier track {tmp_path} --to csv"
    assert said.startswith("Csv failed (IsADirectoryError") and said.endswith(again)


def test_what_a_tracker_says_of_its_failure_holds_no_secret() -> None:
    class Broken(Memory):
        def log(self, metrics: Any, step: int, /) -> None:
            raise ConnectionError("no route to https://me:hush1@host")

    guarded = Guarded(Broken())
    guarded.log({"a": 1.0}, 1)
    assert "no route to https://•••@host" in guarded.finish(Outcome("done", "n", 0, "", 1, "host"))
