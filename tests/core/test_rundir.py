from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.clocks import boot_again, set_clock
from espalier.core.errors import UserError
from espalier.core.facts import DataFacts
from espalier.core.lock import held
from espalier.core.outcome import Outcome
from espalier.core.rundir import (
    Place,
    create,
    discard,
    is_gone,
    point_latest,
    process_created,
    read_facts,
    read_outcome,
    run_id,
    safe_name,
    shown,
    write_facts,
    write_outcome,
)
from espalier.core.trial import Trial, write_trial


def outcome(**given: object) -> Outcome:
    record = {
        "status": "running",
        "name": "x",
        "seed": 0,
        "started": "",
        "pid": os.getpid(),
        "host": os.uname().nodename,
    }
    return Outcome.of({**record, **given})


def beginning(pid: int) -> float:
    found = process_created(pid)
    assert found is not None
    return found


def test_two_runs_never_share_a_directory(tmp_path: Path) -> None:
    made = {create(tmp_path, "mine") for _ in range(50)}
    assert len(made) == 50
    for directory in made:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-[0-9a-f]{6}", directory.name)
        assert directory.is_absolute() and re.fullmatch(r"[0-9a-f]{6}", run_id(directory))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a b/c", "a-b-c"),
        ("../../etc", "etc"),
        ("", "run"),
        ("...", "run"),
        ("avis été", "avis-été"),
        ("a=1+2", "a=1+2"),
    ],
)
def test_a_name_stays_in_its_folder(name: str, safe: str, tmp_path: Path) -> None:
    assert safe_name(name) == safe
    assert create(tmp_path, name).parent == tmp_path / safe


def test_latest_points_to_the_newest(tmp_path: Path) -> None:
    for _ in range(2):
        directory = create(tmp_path, "mine")
        point_latest(directory)
        assert (tmp_path / "latest").resolve() == directory
    assert not (tmp_path / "latest").readlink().is_absolute()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".latest")] == []


def test_outcome_is_written_and_read(tmp_path: Path) -> None:
    write_outcome(tmp_path, outcome(status="done", metrics={"a": 1.0}, intervals={"a": (0.5, 1.5)}))
    assert read_outcome(tmp_path) == outcome(status="done", metrics={"a": 1.0}, intervals={"a": (0.5, 1.5)})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"status": "done"}', "\xff"])
def test_an_outcome_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="cannot be read"):
        read_outcome(tmp_path)


def test_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no run directory"):
        read_outcome(tmp_path)
    with pytest.raises(UserError, match="is not there"):
        read_outcome(tmp_path / "typo")
    (tmp_path / "sweep.yaml").touch()
    with pytest.raises(UserError, match=r"is a sweep's directory, which has no best trial yet.*espalier sweep resume"):
        read_outcome(tmp_path)
    (tmp_path / "best").mkdir()
    with pytest.raises(UserError, match=r"is a sweep's directory\. Name its best trial:  \S+/best$"):
        read_outcome(tmp_path)


def test_a_run_whose_process_lives_is_not_gone(tmp_path: Path) -> None:
    created = beginning(os.getpid())
    assert not is_gone(tmp_path, outcome(process_created=created))
    assert is_gone(tmp_path, outcome(process_created=created - 100))  # the number was given to another process
    assert is_gone(tmp_path, outcome(pid=2**22 + 1, process_created=created))
    assert not is_gone(tmp_path, outcome(status="done", pid=2**22 + 1))


@pytest.mark.parametrize("seconds", [-7200, 60])
def test_a_wall_clock_that_is_set_makes_nobody_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    running = outcome(process_created=beginning(os.getpid()))
    set_clock(monkeypatch, seconds)
    assert not is_gone(tmp_path, running)


def test_a_run_of_before_a_reboot_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container starts the same few processes each time, of the same numbers at the same second."""
    running = outcome(process_created=beginning(os.getpid()))
    boot_again(monkeypatch)
    assert is_gone(tmp_path, running)


def test_of_a_run_elsewhere_the_lock_tells(tmp_path: Path) -> None:
    elsewhere = outcome(pid=2**22 + 1, host="elsewhere")
    assert is_gone(tmp_path, elsewhere)
    with held(tmp_path):
        assert not is_gone(tmp_path, elsewhere)


def test_only_a_run_that_never_began_is_discarded(tmp_path: Path) -> None:
    fresh, begun = create(tmp_path, "a"), create(tmp_path, "b")
    for directory in (fresh, begun):
        write_outcome(directory, outcome())
    (begun / "thesis.txt").touch()
    discard(fresh)
    discard(begun)
    assert not fresh.parent.exists()
    assert (begun / "thesis.txt").exists()


def test_a_zombie_is_gone(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    created = beginning(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(tmp_path, outcome(pid=child.pid, process_created=created))
    child.wait()


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    facts = DataFacts({"text": "text"}, {"": ("a", "b")}, {"train": 3}, max_length=5)
    write_facts(tmp_path, facts)
    assert read_facts(tmp_path) == facts


@pytest.mark.parametrize(("content", "said"), [(None, "has no facts.json"), ("[]", "cannot be read")])
def test_facts_that_are_not_there_say_what_to_do(tmp_path: Path, content: str | None, said: str) -> None:
    if content:
        (tmp_path / "facts.json").write_text(content)
    with pytest.raises(UserError, match=f"{said}.*--rerun"):
        read_facts(tmp_path)


def test_paths_are_shown_as_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "outputs" / "a") == Path("outputs/a")
    assert shown(Path("outputs/a")) == Path("outputs/a")
    assert shown(tmp_path.parent) == tmp_path.parent


TRIAL = Path("mine", "sweep-2026-01-01_00-00-00-aaaaaa", "trials", "007")


def test_a_run_and_a_trial_know_where_they_lie(tmp_path: Path) -> None:
    run = tmp_path / "mine" / "2026-01-01_00-00-00-aaaaaa"
    assert Place.of(run) == Place(tmp_path, "mine")
    assert Place.of(tmp_path / TRIAL) == Place(tmp_path, "mine", (tmp_path / TRIAL).parents[1])


def test_a_trial_has_the_id_that_its_sweep_gave_it_and_is_never_the_latest_run(tmp_path: Path) -> None:
    run, trial = create(tmp_path, "mine"), tmp_path / TRIAL
    trial.mkdir(parents=True)
    write_trial(trial, Trial("sweep-2026-01-01_00-00-00-aaaaaa", 7, "aaaaaa-7", "lr=0.1"))
    assert run_id(trial) == "aaaaaa-7"
    point_latest(run)
    point_latest(trial)
    assert (tmp_path / "latest").resolve() == run


MAKER = """
import sys, time
from pathlib import Path
from espalier.core.rundir import create, discard
while time.time() < float(sys.argv[2]):
    pass
directory = create(Path(sys.argv[1]), "mine")
if sys.argv[3] == "discards":
    discard(directory)  # as a run that never began
else:
    print(directory)
"""


def test_fifty_processes_that_begin_at_one_instant_get_fifty_directories(tmp_path: Path) -> None:
    at = str(time.time() + 5)
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER, str(tmp_path), at, "discards" if number >= 50 else "stays"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(60)
    ]  # fmt: skip
    said = [maker.communicate() for maker in makers]
    assert [error for _, error in said if error] == []
    made = {out.strip() for out, _ in said if out}
    assert len(made) == 50
    assert {str(directory) for directory in (tmp_path / "mine").iterdir()} == made


def test_an_output_that_cannot_hold_runs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"output=.*file/here.*cannot hold runs: Not a directory.*output=DIR"):
        create(tmp_path / "file" / "here", "mine")
    with pytest.raises(UserError, match="cannot hold runs: No such file"):
        create(Path("/proc/nowhere"), "mine")


@pytest.mark.parametrize(("name", "read"), [("facts.json", read_facts), ("outcome.json", read_outcome)])
def test_a_record_that_is_nested_too_deep_cannot_be_read(name: str, read: Any, tmp_path: Path) -> None:
    (tmp_path / name).write_text("[" * 100_000)
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path)
