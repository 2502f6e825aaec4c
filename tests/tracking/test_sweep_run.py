"""A sweep and its trials at W&B, offline, read back with W&B's own reader; one command sends all of them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from espalier.core.record import Record, read_record, trial_directory
from espalier.core.trial import Trial, write_trial
from espalier.tracking import sweep_run
from espalier.tracking.sweep_run import main, summary_of, sync_line, table_of
from espalier.tracking.wandb_session import Place, Session
from tracking.wandb_runs import records, summary

pytestmark = pytest.mark.xdist_group("sweep_run")
SWEEP = "sweep-2026-11-30_14-02-11-3fa9c1"
# Both trials in one process, one after the other: nothing of the first may show in the second.
TRIALS = """
import sys
from pathlib import Path
from espalier.core.metrics_file import MetricsFile
from espalier.core.outcome import Outcome
from espalier.core.parts import RunInfo
from espalier.core.trial import read_trial
from espalier.tracking.wandb import Wandb
place = {"project": "films", "entity": None, "group": None, "job_type": "train", "tags": ["first"]}
for directory in map(Path, sys.argv[1:]):
    trial = read_trial(directory)
    sweep = {"group": trial.group, "job_type": "trial", "label": trial.name, "words": trial.words}
    metrics = MetricsFile(directory / "metrics.jsonl")
    tracker = Wandb(**place, mode="auto", texts=False)
    print(tracker.start(RunInfo(directory, "mine", trial.run_id, {"trial": trial.number}, **sweep)))
    for step in range(1, 4):
        row = {f"validation/of_{trial.number}": step / 10}
        metrics.log(row, step, epoch=0)
        tracker.log(row, step)
    status = "paused" if trial.number == 1 else "done"
    print(tracker.finish(Outcome(status, "mine", 0, "", 1, "host", metrics={"validation/accuracy": 0.9})))
"""
BEST = {"configuration": 0, "name": "lr=0.1", "values": [0.85], "sd": 0.05, "n": 2, "trials": [0, 2], "words": []}


def sweep_in(folder: Path) -> Path:
    directory = folder / "outputs" / "mine" / SWEEP
    directory.mkdir(parents=True)
    record = Record(directory)
    for number, (rate, seed) in enumerate([(0.1, 0), (0.01, 0), (0.1, 1)]):
        words = (f"optimizer.lr={rate}", f"seed={seed}")
        point = {"optimizer.lr": rate, "callback": ["checkpoint"]}
        record.write(
            "planned", number, configuration=number % 2, point=point, seed=seed, words=words, name=f"lr={rate}"
        )
        place = trial_directory(directory, number)
        place.mkdir(parents=True)
        write_trial(
            place, Trial(SWEEP, number, f"3fa9c1-{number}", f"lr={rate} seed={seed}", (*words, "x=" + "y" * 99))
        )
        node = {"project": "films", "entity": None, "group": None, "tags": ["first"], "mode": "auto"}
        (place / "config.yaml").write_text(yaml.safe_dump({"tracking": {"wandb": node}}))
    for number, value in ((0, 0.9), (2, 0.8)):
        metrics = {"validation/accuracy": value, "test/accuracy": value - 0.1}
        record.write("done", number, values=[value], metrics=metrics, cost={"seconds": 3.0})
    record.write("failed", 1, why="ValueError: no\nsecond line")
    record.close()
    told = {
        "schema": 1, "sweep": SWEEP, "status": "done", "search": "grid", "words": ["optimizer.lr=0.1,0.01"],
        "objectives": [{"name": "validation/accuracy", "direction": "max"}], "counts": {"done": 2, "failed": 1},
        "best": BEST,
    }  # fmt: skip
    (directory / "summary.json").write_text(json.dumps(told))
    (directory / "report.html").write_text("<p>the sweep's page</p>")
    return directory


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = sweep_in(tmp_path_factory.mktemp("sweeps"))
    trials = [str(trial_directory(directory, number)) for number in (0, 1)]
    shell = {"WANDB_RUN_ID": "of-the-shell", "WANDB_NAME": "nightly"}
    called([sys.executable, "-c", TRIALS, *trials], **shell)
    return directory


@pytest.fixture(scope="module")
def said(sweep: Path) -> str:
    page = sweep / "report.html"
    command = [sys.executable, "-m", "espalier.tracking.sweep_run", str(sweep), "--page", str(page)]
    called(command)
    return called(command).stdout  # the second takes the place of the first


def called(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def run_of(directory: Path) -> dict[str, Any]:
    return records(directory / "wandb", "run")[0]


def test_each_trial_is_a_run_of_the_sweeps_group(sweep: Path) -> None:
    for number, rate in ((0, 0.1), (1, 0.01)):
        run = run_of(trial_directory(sweep, number))
        assert (run["run_group"], run["job_type"], run["project"]) == (SWEEP, "trial", "films")
        assert run["run_id"] == f"{SWEEP}-00{number}", "the shell's id would be that of all trials"
        assert run["display_name"] == f"nightly lr={rate} seed=0"
        assert run["tags"] == ["first", f"optimizer.lr={rate}", "seed=0", "x=" + "y" * 62]


def test_nothing_leaks_from_trial_to_trial(sweep: Path) -> None:
    for number in (0, 1):
        folder = trial_directory(sweep, number) / "wandb"
        history = [record["item"] for record in records(folder, "history")]
        assert {name for item in history for name in item if "/" in name} == {f"validation/of_{number}"}
        assert summary(folder)["config"] == {"trial": number}
        assert f"validation/of_{1 - number}" not in summary(folder)["summary"]


def test_one_that_waits_is_no_failure(sweep: Path) -> None:
    told = summary(trial_directory(sweep, 1) / "wandb")
    assert (told["exit_code"], told["summary"]["status"]) == (0, "paused")


def test_the_sweep_is_a_run_of_its_own_in_the_same_group(sweep: Path, said: str) -> None:
    run = run_of(sweep)
    assert (run["run_group"], run["job_type"], run["run_id"]) == (SWEEP, "sweep", SWEEP)
    assert run["display_name"] == f"mine {SWEEP}" and run["project"] == "films"
    told = summary(sweep / "wandb")["summary"]
    assert told["best/validation/accuracy"] == 0.85 and told["best/name"] == "lr=0.1" and told["best/n"] == 2
    assert told["test/accuracy"] == pytest.approx(0.75)
    assert (told["trials/done"], told["trials/failed"]) == (2, 1)
    (table,) = (sweep / "wandb").glob("offline-run-*/files/media/table/trials_*.json")
    assert len(json.loads(table.read_text())["data"]) == 3
    (page,) = (sweep / "wandb").glob("offline-run-*/files/media/html/report_*.html")
    assert "the sweep's page" in page.read_text()


def test_the_line_that_is_said_sends_the_whole_sweep(sweep: Path, said: str) -> None:
    line = said.strip().rpartition("   ")[2]
    assert line == f"wandb sync {sweep}/trials/*/wandb/offline-* {sweep}/wandb/offline-*"
    tool = Path(sys.executable).with_name("wandb")
    dry = called(["bash", "-c", line.replace("wandb sync", f"{shlex.quote(str(tool))} sync --dry-run", 1)])
    listed = set(re.findall(r"offline-run-\S+?-(sweep-[\w-]+)", re.sub(r"\s*\n\s*", " ", dry.stdout + dry.stderr)))
    assert {f"{SWEEP}-000", f"{SWEEP}-001", SWEEP} <= listed, dry.stdout + dry.stderr


def test_a_sweep_in_a_folder_that_a_person_has_named_bears_its_own_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Place] = []

    def kept(_info: object, place: Place, *_: object) -> Session:
        found.append(place)
        raise SystemExit

    monkeypatch.setattr(sweep_run, "Session", kept)
    for name, own in (("sst2", "3fa9c1"), ("agnews", "0b6e42")):
        directory = sweep_in(tmp_path / name).rename(tmp_path / name / "main")
        for number in range(3):
            write_trial(trial_directory(directory, number), Trial("main", number, f"{own}-{number:03d}", ""))
        with pytest.raises(SystemExit):
            main([str(directory)])
    assert [(place.run_id, place.group) for place in found] == [
        ("main-3fa9c1", "main-3fa9c1"), ("main-0b6e42", "main-0b6e42")
    ]  # fmt: skip


def test_a_sweep_that_is_not_tracked_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sweep_in(tmp_path)
    for file in directory.glob("trials/*/config.yaml"):
        file.write_text("tracking: {}\n")
    assert main([str(directory)]) == 0
    assert capsys.readouterr().out == "" and not (directory / "wandb").exists()


def test_wandb_turned_off_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert main([str(sweep_in(tmp_path))]) == 0
    assert capsys.readouterr().out == ""


def test_a_wandb_that_is_broken_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    assert main([str(sweep_in(tmp_path))]) == 0
    assert "the sweep's own run was not delivered (ModuleNotFoundError" in capsys.readouterr().out


def test_the_table_has_what_differs_and_what_came_of_it(tmp_path: Path) -> None:
    columns, rows = table_of(read_record(sweep_in(tmp_path)), ["validation/accuracy"])
    assert columns == [
        "trial", "state", "name", "configuration", "seed", "optimizer.lr", "callback", "validation/accuracy", "seconds",
        "why",
    ]  # fmt: skip
    assert rows[0] == [0, "done", "lr=0.1", 0, 0, 0.1, '["checkpoint"]', 0.9, 3.0, ""]
    assert rows[1] == [1, "failed", "lr=0.01", 1, 0, 0.01, '["checkpoint"]', None, None, "ValueError"]


def test_before_anything_is_done_there_is_no_best() -> None:
    assert summary_of([], {"status": "running", "best": None}, []) == {"status": "running"}


def test_with_a_folder_of_the_shells_the_line_says_that_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    assert sync_line(tmp_path / "x") == f"wandb sync {tmp_path}/wandb/offline-*"
