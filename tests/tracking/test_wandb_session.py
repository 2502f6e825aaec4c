"""Real offline runs, killed, resumed and read back with W&B's own reader."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from espalier.core.parts import RunInfo
from espalier.tracking.wandb_session import Place, Session
from tracking.servers import wandb_server
from tracking.wandb_runs import cut, leet, records, summary, train

pytestmark = pytest.mark.xdist_group("wandb_session")
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
    assert {item["epoch"] for item in history} == {1}


def test_the_runs_page_is_there(resumed: Path) -> None:
    (page,) = (resumed / "wandb").glob("offline-run-*/files/media/html/report_*.html")
    assert "<p>the whole page</p>" in page.read_text()


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
    assert last == f"wandb offline   wandb leet {folder}   (wandb sync sends it)"
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


class Server:
    """A stand-in for wandb online, whose server may refuse to rewind, or everything."""

    url = "https://example.org/run"

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked, self.steps = refused, [], []

    def init(self, settings: dict[str, Any], config: dict[str, Any]) -> Server:
        manner = next((f"{key}={settings[key]}" for key in ("resume_from", "resume") if key in settings), "new")
        self.asked.append((settings["mode"], manner))
        if settings["mode"] == "online" and manner.partition("=")[0] in self.refused:
            raise ConnectionError(f"{manner} refused")
        return self

    def teardown(self) -> None:
        raise SystemExit(1)  # as wandb's does where its service failed

    def define_metric(self, name: str, step_metric: str = "") -> None:
        pass

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.steps.append(step)


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that is there."""
    with wandb_server(404) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        yield


def online(monkeypatch: pytest.MonkeyPatch, directory: Path, server: Server, step: int | None) -> Session:
    module = SimpleNamespace(Settings=dict, setup=lambda settings: None, init=server.init, teardown=server.teardown)
    monkeypatch.setitem(sys.modules, "wandb", module)
    (directory / "metrics.jsonl").write_text("".join(f'{{"step": {n}, "epoch": 0, "x": 1.0}}\n' for n in (1, 2)))
    run = RunInfo(directory, "demo", "3fa9c1", {}, resumed=step is not None, resumed_step=step or 0)
    place = Place("p", None, None, "train", (), "demo", "demo-3fa9c1", directory)
    session = Session(run, place, "online", (directory / "metrics.jsonl").stat().st_size)
    session.load()
    session.start()
    session.log({"x": 1.0}, 3)
    return session


REWOUND, RESUMED = "resume_from=demo-3fa9c1?_step=2", "resume=allow"


@pytest.mark.parametrize(
    ("refused", "asked", "steps"),
    [
        ((), [("online", REWOUND)], [3]),
        (("resume_from",), [("online", REWOUND), ("online", RESUMED)], [1, 2, 3]),
        (("resume_from", "resume"), [("online", REWOUND), ("online", RESUMED), ("offline", "new")], [1, 2, 3]),
    ],
)
def test_a_resume_online_rewinds_or_resumes_or_goes_on_offline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: tuple[str, ...], asked: list[Any], steps: list[int]
) -> None:
    server = Server(*refused)
    session = online(monkeypatch, tmp_path, server, step=2)
    assert (server.asked, server.steps) == (asked, steps)
    assert session.mode == asked[-1][0]


def test_a_new_run_online_is_neither_rewound_nor_replayed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server()
    session = online(monkeypatch, tmp_path, server, step=None)
    assert (server.asked, server.steps, session.url) == ([("online", "new")], [3], server.url)


@pytest.mark.parametrize(
    ("refused", "asked"), [((), [("online", "new")]), (("new",), [("online", "new"), ("online", RESUMED)])]
)
def test_a_run_that_goes_on_from_its_beginning_is_told_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: tuple[str, ...], asked: list[Any]
) -> None:
    server = Server(*refused)
    session = online(monkeypatch, tmp_path, server, step=0)
    assert (server.asked, server.steps) == (asked, [1, 2, 3])
    assert (session.rows, session.past) == (3, 2)


def test_a_server_that_does_not_answer_is_not_asked_for_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server()
    with wandb_server(503) as broken:
        monkeypatch.setenv("WANDB_BASE_URL", broken.url)
        session = online(monkeypatch, tmp_path, server, step=None)
    assert (server.asked, session.mode, session.why) == ([("offline", "new")], "offline", f"{broken.url} answers 503")


def test_a_run_id_is_unique_and_of_allowed_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_RUN_ID", raising=False)

    def run_id(directory: str) -> str:
        return Place.of(RunInfo(Path(directory), "demo", "3fa9c1", {}), "p", None, None, "train", []).run_id

    assert run_id(f"outputs/{NAME}") == NAME
    assert run_id("sweep/trials/000") == "000-3fa9c1"
    assert run_id("outputs/a b:c#3fa9c1") == "a-b-c-3fa9c1"


@pytest.mark.parametrize(
    ("name", "run", "group", "own"),
    [
        ("trials/007", "3fa9c1-007", "main-3fa9c1", "main-3fa9c1-007"),
        ("main", "main-3fa9c1", "main-3fa9c1", "main-3fa9c1"),  # the sweep's own
        (f"sweep-{NAME}/trials/007", "3fa9c1-007", f"sweep-{NAME}", f"sweep-{NAME}-007"),
        (f"sweep-{NAME}", f"sweep-{NAME}", f"sweep-{NAME}", f"sweep-{NAME}"),
    ],
)
def test_a_trials_id_begins_with_its_sweeps(name: str, run: str, group: str, own: str) -> None:
    place = Place.of(RunInfo(Path(name), "demo", run, {}, group=group), "p", None, None, "train", [])
    assert (place.run_id, place.group) == (own, group)
