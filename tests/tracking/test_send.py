"""What a run recorded, told later: the same as it would have told itself, and no more of it the second time."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from espalier.core.outcome import Cost, Outcome
from espalier.core.rundir import write_outcome
from espalier.core.trial import Trial, write_trial
from espalier.tracking.send import main
from tracking.servers import wandb_server
from tracking.wandb_runs import records, summary, train

pytestmark = pytest.mark.xdist_group("send")
NAME = "2026-11-30_14-02-11-3fa9c1"
NODE = {"project": "films", "entity": None, "group": "nightly", "job_type": "train", "tags": ["lora"], "mode": "auto"}
CONFIG = {"optimizer": {"lr": 0.001}, "seed": 0, "hub": {"token": "${oc.env:HUB}"}}


def run_in(directory: Path, steps: int = 20, **outcome: Any) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.yaml").write_text(yaml.safe_dump({**CONFIG, "tracking": {"wandb": NODE}}))
    lines = [{"step": step, "epoch": 0, "train/loss": 1 / step} for step in range(1, steps + 1)]
    lines.append({"step": steps, "epoch": 0, "validation/accuracy": 0.8})  # a second line of the same step
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = {"status": "done", "metrics": {"test/accuracy": 0.9}, "cost": Cost(train_seconds=1.5), "steps": steps}
    write_outcome(
        directory, Outcome(**{"name": "demo", "seed": 0, "started": "", "pid": 1, "host": "h", **told, **outcome})
    )
    return directory


def sent(directory: Path, to: str, *words: str, code: int = 0, **environment: str) -> str:
    command = [sys.executable, "-m", "espalier.tracking.send", str(directory), "--to", to, *words]
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=directory.parent, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stderr) == (code, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was sent two times, with its page."""
    directory = run_in(tmp_path_factory.mktemp("outputs") / NAME)
    pages = tmp_path_factory.mktemp("pages")
    (pages / "3fa9c1.html").write_text("<p>the whole page</p>")
    said = [sent(directory, "wandb", "--pages", str(pages)) for _ in range(2)]
    assert said == [f"{NAME}   21 rows (steps 1 to 20), done   wandb offline: {NAME}/wandb\n"] * 2
    return directory


def test_wandb_has_every_row_once(twice: Path) -> None:
    history = [record["item"] for record in records(twice / "wandb", "history")]
    assert [item["_step"] for item in history if "train/loss" in item] == list(range(1, 21))
    assert [item["train/loss"] for item in history if "train/loss" in item] == pytest.approx(
        [1 / n for n in range(1, 21)]
    )
    assert {item["epoch"] for item in history} == {1}
    assert [item["_step"] for item in history if "validation/accuracy" in item] == [20]


def test_wandb_has_config_summary_name_group_tags_and_page(twice: Path) -> None:
    told = summary(twice / "wandb")
    assert told["config"] == {**CONFIG, "tracking": {"wandb": NODE}}
    assert (told["summary"]["test/accuracy"], told["summary"]["status"], told["exit_code"]) == (0.9, "done", 0)
    assert told["summary"]["cost/train_seconds"] == 1.5
    (run, *_) = records(twice / "wandb", "run")
    assert (run["run_id"], run["display_name"], run["project"]) == (NAME, "demo-3fa9c1", "films")
    assert (run["run_group"], run["job_type"], run["tags"]) == ("nightly", "train", ["lora"])
    (page,) = (twice / "wandb").glob("offline-run-*/files/media/html/report_*.html")
    assert "<p>the whole page</p>" in page.read_text()


def test_it_is_what_the_run_itself_would_have_told(tmp_path: Path) -> None:
    """A live run and a later one: the same records, but for the numbers and times that W&B gives them."""
    live, later = tmp_path / "live" / NAME, tmp_path / "later" / NAME
    live.mkdir(parents=True)
    train(live, 1, 30)
    node = {"project": "espalier", "entity": None, "group": "nightly", "job_type": "train", "tags": ["lora"]}
    later.mkdir(parents=True)
    (later / "config.yaml").write_text(yaml.safe_dump({"optimizer": {"lr": 0.001}, "seed": 0}))
    (later / "metrics.jsonl").write_bytes((live / "metrics.jsonl").read_bytes())
    cost = Cost(train_seconds=1.5)
    write_outcome(later, Outcome("done", "demo", 0, "", 1, "host", metrics={"test/accuracy": 0.9}, cost=cost))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "3fa9c1.html").write_text("<p>the whole page</p>")
    sent(later, "wandb", "--pages", str(tmp_path / "pages"), "--settings", json.dumps({**node, "mode": "auto"}))
    assert told_by(live) == told_by(later)


def told_by(directory: Path) -> Any:
    history = [
        {name: value for name, value in record["item"].items() if name not in ("_timestamp", "_runtime", "report")}
        for record in records(directory / "wandb", "history")
    ]
    whole, run = summary(directory / "wandb"), records(directory / "wandb", "run")[0]
    known = {name: run.get(name) for name in ("run_id", "display_name", "project", "run_group", "job_type", "tags")}
    values = {n: v for n, v in whole["summary"].items() if n not in ("_timestamp", "_runtime", "_wandb", "report")}
    return history, whole["config"], values, whole["exit_code"], known


def test_a_trial_stands_in_its_sweeps_group(tmp_path: Path) -> None:
    sweep = "sweep-2026-11-30_14-02-11-3fa9c1"
    directory = run_in(tmp_path / sweep / "trials" / "007", steps=3, status="paused")
    write_trial(directory, Trial(sweep, 7, "3fa9c1-7", "lr=0.1 seed=0", ("optimizer.lr=0.1", "seed=0")))
    assert "4 rows (steps 1 to 3), paused" in sent(directory, "wandb")
    (run, *_) = records(directory / "wandb", "run")
    assert (run["run_id"], run["display_name"], run["job_type"]) == (f"{sweep}-007", "lr=0.1 seed=0", "trial")
    assert run["tags"] == ["lora", "optimizer.lr=0.1", "seed=0"]


def test_a_killed_run_is_told_as_one(tmp_path: Path) -> None:
    directory = run_in(tmp_path / NAME, steps=3, status="running", pid=2**22 + 1, host=os.uname().nodename)
    assert "interrupted" in sent(directory, "wandb")
    assert summary(directory / "wandb")["exit_code"] == 255


def test_a_csv_file_is_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = run_in(tmp_path / NAME)
    for _ in range(2):
        assert main([str(directory), "--to", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("metrics.csv")
    with (directory / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    assert rows[-1]["validation/accuracy"] == "0.8" and rows[-1]["epoch"] == "1"


def test_online_a_run_is_opened_with_all_that_it_was(tmp_path: Path) -> None:
    directory = run_in(tmp_path / NAME)
    with wandb_server() as server:
        live = {"WANDB_MODE": "online", "WANDB_API_KEY": "k" * 40, "WANDB_BASE_URL": server.url}
        assert f"wandb: {server.url}/" in sent(directory, "wandb", **live)
        history = server.history(NAME)
        assert [row["_step"] for row in history] == list(range(1, 21))
        assert [row["train/loss"] for row in history] == pytest.approx([1 / n for n in range(1, 21)])
        assert history[-1]["validation/accuracy"] == 0.8
    assert list(server.opened) == [NAME] and server.codes == {NAME: 0}
    asked = server.opened[NAME]
    assert (asked["project"], asked["groupName"], asked["jobType"]) == ("films", "nightly", "train")
    assert (asked["displayName"], asked["tags"]) == ("demo-3fa9c1", ["lora"])
    assert server.summary[NAME]["test/accuracy"] == 0.9 and server.summary[NAME]["status"] == "done"
    assert json.loads(asked["config"])["optimizer"]["value"] == {"lr": 0.001}


def test_a_server_that_is_not_there_leaves_an_offline_run_and_says_so(tmp_path: Path) -> None:
    directory = run_in(tmp_path / NAME, steps=3)
    with wandb_server(503) as server:
        dead = {"WANDB_MODE": "online", "WANDB_API_KEY": "k" * 40, "WANDB_BASE_URL": server.url}
        said = sent(directory, "wandb", code=1, **dead)
    assert f"wandb offline ({server.url} answers 503): {NAME}/wandb" in said
    assert len(records(directory / "wandb", "history")) == 3


def test_turned_off_it_sends_nothing(tmp_path: Path) -> None:
    directory = run_in(tmp_path / NAME, steps=3)
    assert "not sent: WANDB_MODE=disabled" in sent(directory, "wandb", code=1, WANDB_MODE="disabled")
    assert not (directory / "wandb").exists()


def test_of_several_runs_each_has_its_turn_though_one_cannot_be_sent(tmp_path: Path) -> None:
    first, second = run_in(tmp_path / "a-000001", steps=2), run_in(tmp_path / "b-000002", steps=3)
    (first / "metrics.csv").mkdir()
    command = [sys.executable, "-m", "espalier.tracking.send", str(first), str(second), "--to", "csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "a-000001" in done.stdout and "not sent (IsADirectoryError" in done.stdout
    assert (second / "metrics.csv").is_file()
