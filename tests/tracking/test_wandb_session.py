"""Real offline runs, killed, resumed and read back with W&B's own reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.parts import RunInfo
from espalier.tracking.wandb_session import Place
from tracking.wandb_runs import cut, leet, records, summary, train

NAME = "2026-11-30_14-02-11-3fa9c1"


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run killed after step 20, resumed from its checkpoint at 12, done at 25."""
    directory = tmp_path_factory.mktemp("outputs") / NAME
    directory.mkdir()
    train(directory, 1, 20, "killed")
    cut(directory / "metrics.jsonl", 12)
    train(directory, 13, 25)
    return directory


def test_a_resumed_run_is_one_offline_run_with_one_clean_history(resumed: Path) -> None:
    history = [record["item"] for record in records(resumed / "wandb", "history")]
    assert [item["_step"] for item in history] == list(range(1, 26))
    assert [item["step"] for item in history] == list(range(1, 26))
    assert [item["train/loss"] for item in history] == pytest.approx([1 / step for step in range(1, 26)])
    assert {item["epoch"] for item in history} == {0}


def test_every_metric_is_drawn_against_the_step(resumed: Path) -> None:
    metrics = records(resumed / "wandb", "metric")
    assert any(metric.get("glob_name") == "*" and metric["step_metric"] == "step" for metric in metrics)


def test_the_run_is_found_by_what_the_config_says(resumed: Path) -> None:
    (run, *_) = records(resumed / "wandb", "run")
    assert (run["run_id"], run["display_name"], run["project"]) == (NAME, "demo-3fa9c1", "espalier")
    assert (run["run_group"], run["job_type"], run["tags"]) == ("nightly", "train", ["lora"])


def test_config_outcome_and_cost_are_there(resumed: Path) -> None:
    told = summary(resumed / "wandb")
    assert told["config"] == {"optimizer": {"lr": 0.001}, "seed": 0}
    assert (told["state"], told["exit_code"]) == ("finished", 0)
    assert (told["summary"]["test/accuracy"], told["summary"]["status"]) == (0.9, "done")
    assert told["summary"]["cost/train_seconds"] == 1.5


def test_no_argv_environment_code_or_git_is_in_any_file(resumed: Path) -> None:
    files = [file for file in resumed.rglob("*") if file.is_file()]
    assert len(files) >= 4
    content = b"".join(file.read_bytes() for file in files)
    for word in (b"secret-of", b"--token", b"MY_TOKEN", b"github.com", b"MetricsFile"):
        assert word not in content


def test_the_commands_it_names_work(tmp_path: Path) -> None:
    directory = tmp_path / NAME
    directory.mkdir()
    first, last = train(directory, 1, 3)["said"]
    folder = f"{NAME}/wandb"
    assert first == "wandb offline"
    assert last == f"wandb offline: look with  wandb leet {folder}  and send with  wandb sync {folder}"
    assert '"history"' in leet("--json", str(directory / "wandb"))


def test_variables_win_over_the_config(tmp_path: Path) -> None:
    directory = tmp_path / NAME
    directory.mkdir()
    given = {"PROJECT": "other", "ENTITY": "team", "RUN_GROUP": "g", "NAME": "n", "TAGS": "a,b", "JOB_TYPE": "j"}
    given |= {"DIR": str(tmp_path / "elsewhere"), "RUN_ID": "myid"}
    train(directory, 1, 3, "failed", **{f"WANDB_{name}": value for name, value in given.items()})
    (run, *_) = records(tmp_path / "elsewhere" / "wandb", "run")
    assert (run["project"], run["entity"], run["run_group"]) == ("other", "team", "g")
    assert (run["display_name"], run["tags"], run["job_type"], run["run_id"]) == ("n", ["a", "b"], "j", "myid")
    assert not (directory / "wandb").exists()
    assert summary(tmp_path / "elsewhere" / "wandb")["exit_code"] == 1


def test_a_run_id_is_unique_and_of_allowed_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_RUN_ID", raising=False)

    def run_id(directory: str) -> str:
        return Place.of(RunInfo(Path(directory), "demo", "3fa9c1", {}), "p", None, None, "train", []).run_id

    assert run_id(f"outputs/{NAME}") == NAME
    assert run_id("sweep/trials/000") == "000-3fa9c1"
    assert run_id("outputs/a b:c#3fa9c1") == "a-b-c-3fa9c1"
