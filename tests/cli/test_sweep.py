from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from espalier.cli.sweep import main
from espalier.config.multirun import read_command
from espalier.core.errors import UserError
from espalier.core.lock import held
from espalier.core.record import Record
from espalier.sweep.definition import Definition
from espalier.sweep.plan import Planner

SMALL = ["data=digits", "model=mlp", "adapter=full"]


@pytest.fixture
def sweep(here: Path) -> Path:
    """A sweep of two trials that a driver has left, as if it were killed."""
    directory = here / "outputs" / "mine" / "sweep-2026-11-25_10-00-00-3fa9c1"
    directory.mkdir(parents=True)
    command = read_command([*SMALL, "optimizer.lr=1e-3,1e-2"])
    Definition.of(command, Planner(command)).write(directory)
    record = Record(directory)
    for number, lr in enumerate((1e-3, 1e-2)):
        told = {"configuration": number, "point": {"optimizer.lr": lr}, "seed": 0, "words": [f"optimizer.lr={lr}"]}
        record.write("planned", number, **told, name=f"lr={lr}")
    record.close()
    best = {"configuration": 1, "name": "lr=0.01", "values": [0.9], "sd": None, "n": 1, "trials": [1], "words": SMALL}
    summary = {
        "schema": 1, "sweep": directory.name, "status": "running", "driver": {"pid": 1, "host": "far"}, "best": best,
        "objectives": [{"name": "validation/accuracy", "direction": "max"}], "total": 2, "counts": {"done": 2},
    }  # fmt: skip
    (directory / "summary.json").write_text(json.dumps(summary))
    return directory


@pytest.mark.parametrize("words", [[], ["--help"], ["plan", "-h"], ["status", "--help"]])
def test_help_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    text = capsys.readouterr().out
    for verb in ("plan", "status", "best", "resume", "retry", "stop", "report", "wandb", "optuna"):
        assert f"\n  {verb} " in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statsu"], "espalier sweep status"),
        (["status"], "finds no sweep"),
        (["status", "nowhere"], "is not there"),
        (["status", "."], "is no sweep's directory"),
        (["best", "a", "b"], "Name one sweep"),
        (["status", "--jsn"], "--json"),
        (["retry"], "retry --failed DIR"),
        (["retry", "--faild"], "--failed"),
        (["resume", "mine", "nonsense"], "nonsense  is no directory, and no setting"),
        (["wandb", *SMALL], "nothing to vary"),
        (["wandb", "optimizer.lrr=1,2"], "optimizer.lr "),
        (["resume", "."], "is no sweep's directory"),
        (["plan", "optimizer.lrr=1,2"], "optimizer.lr "),
        (["report", "--output", "page.txt"], "finds no sweep"),
    ],
)
def test_mistakes(words: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        main(words)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("trials/001", "lies in a sweep, and is none"),
        ("trials", "lies in a sweep, and is none"),
        ("..", "there are sweeps below it"),
        ("../..", "there are sweeps below it"),
    ],
)
def test_beside_the_sweep_that_was_meant(sweep: Path, named: str, said: str) -> None:
    (sweep / "trials" / "001").mkdir(parents=True)
    with pytest.raises(UserError, match=said) as error:
        main(["best", str(sweep / named)])
    (fault,) = error.value.faults
    assert fault.remedy.endswith(f"espalier sweep best {sweep.relative_to(Path.cwd())}")


def test_the_line_of_the_sweep_itself_may_be_planned(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "-m", *SMALL, "optimizer.lr=1e-3,1e-2"]) == 0
    assert "2 trials" in capsys.readouterr().out


def test_only_what_has_failed_is_tried_again(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="Say so:  --failed"):
        main(["retry", str(sweep)])
    assert main(["retry", "--failed", str(sweep)]) == 0
    assert "no trial of outputs/mine/sweep-2026-11-25_10-00-00-3fa9c1 has failed" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["done", "stopped", "interrupted"])
def test_what_is_over_needs_no_stop(sweep: Path, capsys: pytest.CaptureFixture[str], status: str) -> None:
    summary = json.loads((sweep / "summary.json").read_text())
    (sweep / "summary.json").write_text(json.dumps({**summary, "status": status}))
    before = (sweep / "record.jsonl").read_text()
    assert main(["stop", str(sweep)]) == 0
    assert "is over: nothing runs" in capsys.readouterr().out and (sweep / "record.jsonl").read_text() == before


def test_status_of_the_newest(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    text = capsys.readouterr().out
    assert str(sweep.relative_to(Path.cwd())) in text and "2 done" in text
    assert "its driver is gone" in text and "espalier sweep resume" in text
    with held(sweep):
        assert main(["status", str(sweep), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "running"


@pytest.mark.parametrize("place", ["sst2/main", "main"])
def test_the_newest_may_be_called_anything(
    sweep: Path, here: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (here / "outputs" / place).parent.mkdir(exist_ok=True)
    named = sweep.rename(here / "outputs" / place)
    older = here / "outputs" / "mine" / sweep.name
    older.mkdir(parents=True, exist_ok=True)
    for name in ("summary.json", "sweep.yaml"):
        (older / name).write_text((named / name).read_text())
        os.utime(older / name, (0, 0))
    for words in (["status"], ["best"]):
        assert main(words) == 0
        assert f"outputs/{place}" in capsys.readouterr().out
    with held(named), pytest.raises(UserError, match=rf"outputs/{place} +is driven by process 1 on far"):
        main(["resume"])
    summary = json.loads((named / "summary.json").read_text())
    (named / "summary.json").write_text(json.dumps({**summary, "status": "done"}))
    assert main(["stop"]) == 0 and f"outputs/{place} is over" in capsys.readouterr().out


def test_one_that_has_just_begun_is_the_newest(sweep: Path, here: Path) -> None:
    begun = here / "outputs" / "sst2" / "main"
    begun.mkdir(parents=True)
    (begun / "sweep.yaml").write_text((sweep / "sweep.yaml").read_text())
    os.utime(sweep / "summary.json", (0, 0))
    with held(begun), pytest.raises(UserError, match=r"outputs/sst2/main +is driven by another process"):
        main(["resume"])


def test_best(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best", str(sweep)]) == 0
    assert f"espalier train {' '.join(SMALL)}" in capsys.readouterr().out
    assert main(["best", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["configuration"] == 1
    summary = json.loads((sweep / "summary.json").read_text())
    (sweep / "summary.json").write_text(json.dumps({**summary, "best": None}))
    assert main(["best"]) == 1


def test_a_plan_runs_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *SMALL, "optimizer.lr=1e-3,1e-2", "seed=0,1"]) == 0
    text = capsys.readouterr().out
    assert "4 trials" in text and "lr=0.01 seed=1" in text and list(here.iterdir()) == []


def test_going_on_with_what_somebody_drives_is_refused(sweep: Path) -> None:
    with held(sweep), pytest.raises(UserError, match="process 1 on far"):
        main(["resume", str(sweep)])


def test_going_on_with_another_space_is_refused(sweep: Path) -> None:
    with pytest.raises(UserError, match="is 1, 2, and was"):
        main(["resume", str(sweep), "optimizer.lr=1,2"])


def test_options_that_have_changed_meanwhile_are_noticed(here: Path) -> None:
    directory = here / "sweep-1"
    directory.mkdir()
    command = read_command([*SMALL[:2], "adapter=full,probe"])
    planner = Planner(command)
    Definition.of(command, planner).write(directory)
    record = Record(directory)
    for number, (point, seed) in enumerate(planner.trials()):
        planned = planner.at(point, seed)
        digest = planned.digest if number == 0 else "of other files"
        told = {"configuration": number, "point": point, "seed": seed, "words": [], "name": planned.name}
        record.write("planned", number, **told, digest=digest)
    record.close()
    with pytest.raises(UserError, match=r"trial 1  would be another .* options has changed since \(adapter=probe"):
        main(["resume", str(directory), "launcher=inline"])


def test_a_sweep_that_runs_is_asked_to_stop(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driver = (
        "import sys, time; from pathlib import Path; from espalier.core.lock import held\n"
        "place = Path(sys.argv[1])\n"
        "with held(place):\n"
        "    print('held', flush=True)\n"
        "    while not (place / 'stop').exists(): time.sleep(0.01)\n"
    )
    with subprocess.Popen([sys.executable, "-c", driver, str(sweep)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        assert main(["stop", str(sweep), "--now"]) == 0
    assert "is ended" in capsys.readouterr().out and (sweep / "stop").read_text() == "now\n"


def test_optuna_and_wandb(sweep: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optuna", str(sweep)]) == 0
    assert (sweep / "optuna.log").exists()
    assert main(["wandb", *SMALL, "optimizer.lr=1e-3,1e-2", "--output", "sweep.yaml"]) == 0
    assert "method: grid" in (here / "sweep.yaml").read_text()


@pytest.mark.e2e
@pytest.mark.slow
def test_status_is_instant_however_many_trials_there_are(sweep: Path) -> None:
    record = Record(sweep)
    for number in range(2, 10_000):
        told = {"configuration": number, "point": {"x": number}, "seed": 0, "words": [], "name": f"x={number}"}
        record.write("planned", number, **told)
    record.close()
    script = [str(Path(sys.executable).with_name("espalier")), "sweep", "status", str(sweep)]
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(script, check=True, capture_output=True, env=os.environ)
        took.append(time.perf_counter() - began)
    assert min(took) <= 1.0
