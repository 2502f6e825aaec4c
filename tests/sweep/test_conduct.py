"""From a command to a sweep's directory. Configs, files, signals and the record are real, only trials are played."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.config.multirun import read_command
from espalier.core.errors import RunFailedError, UserError
from espalier.core.files import write_json
from espalier.core.lock import held
from espalier.core.record import Record, read_record
from espalier.core.trial import read_trial
from espalier.sweep import conduct as conducting
from espalier.sweep.conduct import Orders, Ready, conduct, prepare
from espalier.sweep.definition import read_definition
from espalier.sweep.preview import preview
from sweep.planning import SMALL
from sweep.simulation import Life, Simulated, Time

GRID = (*SMALL, "hardware=cpu", "optimizer.lr=1e-3,1e-2", "name=small", "sweep.test=false")
LR, DROPOUT = "optimizer.lr=1e-3,1e-2", "model.dropout=0.0,0.1"
QUICK = Life(seconds=0.05)
Played = Callable[[Callable[[int, int], Life]], Simulated]


class RealTime(Time):
    """What trials are played by, where the driver has the machine's own clock."""

    now = property(lambda _: time.monotonic(), lambda *_: None)  # type: ignore[assignment]


class Killed(BaseException):
    """The driver is no more."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    """The launcher that sweeps get from here on."""

    def play(life: Callable[[int, int], Life]) -> Simulated:
        launcher = Simulated(RealTime(), 1, life)

        def prepared(command: Any) -> Ready:
            ready = prepare(command)
            return replace(ready, parts=replace(ready.parts, launcher=launcher))

        monkeypatch.setattr(conducting, "prepare", prepared)
        return launcher

    return play


def swept(*words: str, orders: Orders | None = None) -> int:
    return conduct(read_command([*GRID, *words]), orders=orders)


def status(place: Path) -> str:
    return str(json.loads((place / "summary.json").read_text())["status"])


def test_a_sweep_to_its_end_and_once_more(here: Path, played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    launcher = played(lambda number, _: replace(QUICK, curve=[0.5 + 0.1 * number]))
    assert swept("seed=0,1") == 0
    (place,) = (here / "outputs" / "small").glob("sweep-*")
    said = capsys.readouterr().out
    assert said.startswith("4 trials by grid   launcher=pool") and str(place.relative_to(here)) in said
    assert [trial.name for trial in read_record(place)] == [
        f"lr={lr} seed={s}" for lr in ("0.001", "0.01") for s in (0, 1)
    ]
    assert status(place) == "done" and (place / "report.html").exists()
    assert (place / "best").resolve() == place / "trials" / "002"
    before = (place / "record.jsonl").read_text()
    assert swept("seed=0,1", f"sweep.dir={place}") == 0  # from the command line: what is over stays so
    assert (place / "record.jsonl").read_text() == before and len(launcher.placed) == 4
    assert "nothing is left to train" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"0.001, 0.01"):
        conduct(read_command([*GRID[:-3], "optimizer.lr=1e-3,2e-2", "seed=0,1"]), place)
    with held(place), pytest.raises(UserError, match=rf"is driven by process {os.getpid()} on"):
        swept("seed=0,1", f"sweep.dir={place}")


def test_sweeps_in_folders_of_one_name_differ_and_one_that_goes_on_keeps_its_own(here: Path, played: Played) -> None:
    played(lambda *_: QUICK)
    places = [here / "outputs" / name / "main" for name in ("sst2", "agnews")]
    own = []
    for place in places:
        for most in (1, 2):
            assert swept(f"sweep.dir={place}", f"sweep.trials={most}") == 0
        trials = [read_trial(place / "trials" / name) for name in ("000", "001")]
        own.append(read_definition(place).id)
        assert [one.run_id for one in trials if one] == [f"{own[-1]}-000", f"{own[-1]}-001"]
        assert {one.group for one in trials if one} == {f"main-{own[-1]}"}
    assert own[0] != own[1]


def test_one_that_an_earlier_version_began_goes_on_as_it_was(here: Path, played: Played) -> None:
    played(lambda *_: QUICK)
    assert swept("sweep.dir=main", "sweep.trials=1") == 0
    file = here / "main" / "sweep.yaml"
    file.write_text(re.sub(r"(?m)^id: .*\n", "", file.read_text()))
    assert swept("sweep.dir=main", "sweep.trials=2") == 0
    trial = read_trial(here / "main" / "trials" / "001")
    assert trial and (trial.run_id, trial.group) == ("main-001", "main")


def test_more_of_a_grid_than_at_first(here: Path, played: Played) -> None:
    launcher = played(lambda *_: QUICK)
    assert swept("seed=0,1", "sweep.dir=s", "sweep.trials=1") == 0
    assert [(trial.point["optimizer.lr"], trial.seed) for trial in read_record(here / "s")] == [(1e-3, 0), (1e-3, 1)]
    assert swept("seed=0,1", "sweep.dir=s", "sweep.trials=2") == 0
    assert len(launcher.placed) == len(read_record(here / "s")) == 4
    assert json.loads((here / "s" / "summary.json").read_text())["total"] == 4


SEEDED = (("seed=0,1", LR, DROPOUT), (LR, "seed=0,1", DROPOUT), (LR, DROPOUT, "seed=0,1"))


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("varied", SEEDED)
def test_what_was_said_before_is_what_runs(here: Path, played: Played, varied: tuple[str, ...], most: int) -> None:
    """Of a part of a grid, wherever the seed stands among the words."""
    played(lambda *_: QUICK)
    words = [*GRID[:-3], *varied, "name=small", "sweep.test=false", f"sweep.trials={most}"]
    told = preview(prepare(read_command(words)).planner)
    assert conduct(read_command([*words, "sweep.dir=s"])) == 0
    assert [trial.name for trial in read_record(here / "s")] == list(told.names)
    assert len(told.names) == told.total == 2 * most


def test_a_rule_wants_the_first_seed_of_each(here: Path, played: Played) -> None:
    played(lambda *_: replace(QUICK, curve=[0.5] * 2))
    assert swept("seed=0,1", "pruning=patience", "sweep.finalists=1", "trainer.max_epochs=2", "sweep.dir=s") == 0
    assert [trial.seed for trial in read_record(here / "s")] == [0, 0, 1]


def test_another_folder_is_left_alone(here: Path, played: Played) -> None:
    launcher = played(lambda *_: QUICK)
    (here / "papers").mkdir()
    with pytest.raises(UserError, match="holds other things"):
        swept("sweep.dir=.")
    assert launcher.placed == [] and [file.name for file in here.iterdir()] == ["papers"]


@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_once_and_twice(here: Path, played: Played, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once leaves checkpoints; twice waits for none."""
    launcher = played(lambda *_: Life(seconds=60))
    submit, cancel = launcher.submit, launcher.cancel

    def interrupted(job: Any) -> Any:
        placed = submit(job)
        os.kill(os.getpid(), signal.SIGINT)
        return placed

    def deaf(placed: Any, *, now: bool) -> None:
        if now or times == 1:
            cancel(placed, now=now)
        else:
            launcher.cancelled.append(now)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(launcher, "submit", interrupted)
    monkeypatch.setattr(launcher, "cancel", deaf)
    assert swept("sweep.dir=s") == 130
    assert launcher.cancelled == [False, True][:times] and status(here / "s") == "interrupted"
    assert [trial.state for trial in read_record(here / "s")] == ["planned"] * 2
    assert len(launcher.placed) == 1


@pytest.mark.parametrize("now", [False, True])
def test_trials_that_outlive_their_driver_are_ended_as_asked(here: Path, played: Played, now: bool) -> None:
    launcher = played(lambda *_: Life(seconds=60))
    poll = launcher.poll
    launcher.poll = lambda placed: (_ for _ in ()).throw(Killed())  # type: ignore[method-assign]
    with pytest.raises(Killed):
        swept("sweep.dir=s")
    launcher.poll = poll  # type: ignore[method-assign]
    assert [trial.state for trial in read_record(here / "s")] == ["running", "planned"]
    assert swept("sweep.dir=s", orders=Orders("stopped", now=now)) == 1  # nothing is done
    assert launcher.cancelled[-1] == now and len(launcher.placed) == 1
    assert status(here / "s") == "stopped" and read_record(here / "s")[0].state == "planned"


def test_what_is_written_first_comes_before_anything_is_placed(here: Path, played: Played) -> None:
    played(lambda number, attempt: replace(QUICK, ends="failed" if (number, attempt) == (0, 1) else "done"))
    assert swept("sweep.dir=s") == 0 and [trial.state for trial in read_record(here / "s")] == ["failed", "done"]

    def again(record: Record) -> None:
        record.write("again", 0, why="tried once more", lost=0)

    assert swept("sweep.dir=s", orders=Orders(before=again)) == 0
    assert [(trial.state, trial.attempts) for trial in read_record(here / "s")] == [("done", 2), ("done", 1)]


def test_a_full_disk_is_waited_for_and_who_wants_an_end_has_it(
    here: Path, played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that the sweep writes has room for a while: its record, its summary."""
    append, room = Record._append, {"after": 3, "interrupt": False}
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "s/record.jsonl")

    def appended(record: Record, line: bytes) -> OSError | None:
        if b'"done"' in line and room["after"]:
            room["after"] -= 1
            if room["interrupt"]:
                os.kill(os.getpid(), signal.SIGINT)
            return full
        return append(record, line)

    def refused(*_: Any) -> None:
        if 0 < room["after"] < 3:
            raise full
        write_json(*_)

    monkeypatch.setattr(conducting, "_LOOK", 0.01)
    monkeypatch.setattr(Record, "_append", appended)
    monkeypatch.setattr("espalier.sweep.summary.write_json", refused)
    played(lambda *_: QUICK)
    assert swept("sweep.dir=s") == 0
    assert [trial.state for trial in read_record(here / "s")] == ["done"] * 2
    assert capsys.readouterr().out.count("the disk is full (s/record.jsonl): the sweep waits until there is room") == 1
    room.update(after=9, interrupt=True)
    with pytest.raises(RunFailedError, match=r"no room for s/record\.jsonl.*espalier sweep resume t"):
        swept("sweep.dir=t")
    room.update(after=0)
    assert swept("sweep.dir=t") == 0
    assert [trial.state for trial in read_record(here / "t")] == ["done"] * 2
