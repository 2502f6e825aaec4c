"""A tracker that never holds training up, whatever wandb does; real offline runs stand in test_wandb_session.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter, sleep
from types import SimpleNamespace
from typing import Any

import pytest

from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.tracking import wandb as tracking
from espalier.tracking.wandb import Wandb
from tracking.wandb_runs import records, train


class StandIn:
    """A wandb that misbehaves where it is told to: ``slow`` sleeps for so many seconds, ``broken`` raises."""

    def __init__(self, slow: dict[str, float] | None = None, broken: tuple[str, ...] = ()) -> None:
        self.slow, self.broken = slow or {}, broken
        self.rows: list[tuple[int, dict[str, Any]]] = []
        self.finished: list[int] = []
        self.settings: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.url = "https://example.org/run"

    def misbehave(self, call: str) -> None:
        sleep(self.slow.get(call, 0))
        if call in self.broken:
            raise OSError(f"{call} is broken")

    def module(self) -> Any:
        return SimpleNamespace(Settings=dict, setup=lambda settings: None, init=self.init, teardown=lambda: None)

    def init(self, settings: dict[str, Any], config: dict[str, Any]) -> StandIn:
        self.misbehave("init")
        self.settings = settings
        return self

    def define_metric(self, name: str, step_metric: str = "") -> None:
        pass

    def log(self, metrics: dict[str, Any], step: int) -> None:
        self.misbehave("log")
        self.rows.append((step, metrics))

    def finish(self, exit_code: int) -> None:
        self.misbehave("finish")
        self.finished.append(exit_code)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunInfo:
    monkeypatch.setattr(tracking, "_PATIENCE", {"offline": 0.3, "online": 0.3})
    monkeypatch.setattr(tracking, "_GRACE", 0.3)
    return RunInfo(tmp_path, "demo", "3fa9c1", {"seed": 0})


def tracker(monkeypatch: pytest.MonkeyPatch, stand_in: StandIn) -> Wandb:
    monkeypatch.setitem(sys.modules, "wandb", stand_in.module())
    return Wandb(project="espalier", entity=None, group=None, job_type="train", tags=[], mode="auto", texts=False)


def outcome(status: Any = "done") -> Outcome:
    return Outcome(status, "demo", 0, "", 1, "host", metrics={"test/accuracy": 0.9})


def log_rows(wandb: Wandb, rows: int = 100) -> float:
    began = perf_counter()
    for step in range(rows):
        wandb.log({"train/loss": 0.5}, step)
    return perf_counter() - began


def test_a_log_of_thirty_seconds_delays_training_by_less_than_a_second(
    run: RunInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = tracker(monkeypatch, StandIn(slow={"log": 30}))
    began = perf_counter()
    wandb.start(run)
    log_rows(wandb)
    said = wandb.finish(outcome())
    assert perf_counter() - began < 1
    again = f"metrics.jsonl has everything, and sends it:  espalier track {run.directory} --to wandb"
    assert said == f"wandb: 100 of 100 rows were not delivered (no answer in 0 s); {again}"


@pytest.mark.parametrize("call", ["init", "finish"])
def test_other_calls_that_hang_delay_nothing_either(run: RunInfo, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    wandb = tracker(monkeypatch, StandIn(slow={call: 30}))
    began = perf_counter()
    wandb.start(run)
    log_rows(wandb)
    said = wandb.finish(outcome())
    assert perf_counter() - began < 1
    assert "not delivered" in said
    assert "metrics.jsonl has everything" in said


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("init", "100 of 100 rows were not delivered (OSError: init is broken)"),
        ("log", "100 of 100 rows were not delivered (OSError: log is broken)"),
        ("finish", "the end of the run was not delivered (OSError: finish is broken)"),
    ],
)
def test_calls_that_raise_are_told_once_at_the_end(
    run: RunInfo, monkeypatch: pytest.MonkeyPatch, call: str, said: str
) -> None:
    wandb = tracker(monkeypatch, StandIn(broken=(call,)))
    wandb.start(run)
    log_rows(wandb)
    again = f"metrics.jsonl has everything, and sends it:  espalier track {run.directory} --to wandb"
    assert wandb.finish(outcome()) == f"wandb: {said}; {again}"


def test_a_wandb_that_cannot_be_imported_stops_nothing(run: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    wandb = Wandb(project="espalier", entity=None, group=None, job_type="train", tags=[], mode="auto", texts=False)
    wandb.start(run)
    log_rows(wandb)
    assert "ModuleNotFoundError" in wandb.finish(outcome())


def test_every_row_and_the_outcome_arrive(run: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn()
    wandb = tracker(monkeypatch, stand_in)
    wandb.start(run)
    log_rows(wandb)
    wandb.finish(outcome())
    assert stand_in.rows == [(step, {"train/loss": 0.5, "step": step}) for step in range(100)]
    assert stand_in.summary["test/accuracy"] == 0.9
    assert (stand_in.summary["status"], stand_in.summary["cost/train_seconds"]) == ("done", 0.0)


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("failed", 1), ("interrupted", 255)])
def test_the_exit_code_says_how_it_ended(run: RunInfo, monkeypatch: pytest.MonkeyPatch, status: str, code: int) -> None:
    stand_in = StandIn()
    wandb = tracker(monkeypatch, stand_in)
    wandb.start(run)
    wandb.finish(outcome(status))
    assert stand_in.finished == [code]


def test_logging_costs_training_microseconds(run: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = tracker(monkeypatch, StandIn(slow={"init": 0.2}))
    wandb.start(run)
    assert min(log_rows(wandb, 10_000) for _ in range(3)) / 10_000 < 50e-6  # the machine does other things as well
    wandb.finish(outcome())


def test_disabled_does_nothing(run: RunInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn(broken=("init", "log", "finish"))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    wandb = tracker(monkeypatch, stand_in)
    assert wandb.start(run) == "wandb disabled (WANDB_MODE=disabled)"
    log_rows(wandb)
    assert wandb.finish(outcome()) == ""
    assert list(run.directory.iterdir()) == []


def test_a_tracker_that_was_never_started_finishes_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = tracker(monkeypatch, StandIn())
    wandb.log({"train/loss": 0.5}, 1)
    assert wandb.finish(outcome()) == ""


@pytest.mark.slow
def test_a_service_process_that_is_frozen_ends_neither_training_nor_the_process(tmp_path: Path) -> None:
    program = f"""
import os, signal, sys, time
from pathlib import Path
import psutil
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.tracking import wandb as tracking
tracking._PATIENCE["offline"] = 1.0
wandb = tracking.Wandb(project="p", entity=None, group=None, job_type="train", tags=[], mode="auto", texts=False)
directory = Path({str(tmp_path)!r})
wandb.start(RunInfo(directory, "demo", "3fa9c1", {{}}))
assert wandb._background.settle(60)
for child in psutil.Process().children():
    os.kill(child.pid, signal.SIGSTOP)
began = time.perf_counter()
for step in range(5000):
    wandb.log({{"train/loss": 0.5}}, step)
print(time.perf_counter() - began)
print(wandb.finish(Outcome("done", "demo", 0, "", 1, "host")))
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=150)
    delay, said = answer.stdout.splitlines()
    assert float(delay) < 1
    assert "not delivered" in said
    assert answer.returncode == 0, answer.stderr


@pytest.mark.slow
def test_a_server_that_is_not_there_leaves_an_offline_run(tmp_path: Path) -> None:
    directory = tmp_path / "2026-11-30_14-02-11-3fa9c1"
    directory.mkdir()
    dead = {"WANDB_MODE": "online", "WANDB_API_KEY": "k" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    result = train(directory, 1, 20, **dead)
    assert result["delay"] < 1
    assert result["said"][0] == "wandb online"
    said = result["said"][1]
    if "metrics.jsonl has everything" in said:  # a machine so busy that wandb's own process did not answer in time
        return
    assert said.startswith("wandb offline (ConnectionRefusedError")
    assert "wandb sync" in said
    assert [record["step"]["num"] for record in records(directory / "wandb", "history")] == list(range(1, 21))
