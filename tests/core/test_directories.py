"""What is found of runs and sweeps, whoever has named them, and how often a folder is looked into."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from espalier.core.directories import directories, sweeps_below
from espalier.core.rundir import point_latest

RUN, LATER = "2026-11-30_14-02-12-aaaaaa", "2026-12-01_09-00-00-cccccc"
SWEEP = "sweep-2026-11-30_14-02-11-bbbbbb"


def run_in(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "outcome.json").write_text("{}")
    return directory


def sweep_in(directory: Path, *trials: str, at: str = "") -> Path:
    directory.mkdir(parents=True)
    event = {"event": "planned", "trial": 0, "at": datetime.fromisoformat(at).timestamp()} if at else None
    (directory / "record.jsonl").write_text(f"{json.dumps(event)}\n" if event else "")
    for name in trials:
        run_in(directory / "trials" / name)
    return directory


def test_the_newest_run_comes_first(tmp_path: Path) -> None:
    names = ("a/2026-01-01_00-00-00-aaaaaa", "b/2026-01-02_00-00-00-bbbbbb", "a/2026-01-03_00-00-00-cccccc")
    runs = [run_in(tmp_path / name) for name in names]
    (tmp_path / "a" / "no_run").mkdir()
    (tmp_path / "README.md").touch()
    point_latest(runs[-1])
    assert list(directories(tmp_path).runs) == runs[::-1]
    assert list(directories(tmp_path / "nowhere").runs) == []


def test_sweeps_and_their_trials_are_found_where_they_are_asked_for(tmp_path: Path) -> None:
    run = run_in(tmp_path / "mine" / RUN)
    sweep = sweep_in(tmp_path / "mine" / SWEEP, "000", "001", "010")
    (tmp_path / "mine" / "sweep-of-mine").mkdir()
    trials = [sweep / "trials" / name for name in ("000", "001", "010")]
    assert list(directories(tmp_path).runs) == [run]
    assert list(directories(tmp_path, trials=True).runs) == [run, *trials]
    assert list(directories(tmp_path).sweeps) == list(sweeps_below(tmp_path)) == [sweep]


def test_a_sweep_may_be_called_anything_and_is_as_old_as_its_first_event(tmp_path: Path) -> None:
    first, last = run_in(tmp_path / "sst2" / RUN), run_in(tmp_path / "sst2" / LATER)
    named = [
        sweep_in(tmp_path / "sst2" / "main", "000", "001", at="2026-11-30T20:00:00"),
        sweep_in(tmp_path / "agnews" / "main", "000", at="2026-11-29T20:00:00"),
    ]
    regular = sweep_in(tmp_path / "sst2" / SWEEP, "000")
    found = directories(tmp_path, trials=True)
    assert list(found.sweeps) == [named[0], regular, named[1]]
    trials = {place: sorted((place / "trials").iterdir()) for place in found.sweeps}
    assert list(found.runs) == [last, *trials[named[0]], first, *trials[regular], *trials[named[1]]]


@pytest.mark.parametrize("line", ["", "{", "[]", '{"at": "then"}', '{"at": 1e300}', "[" * 100_000])
def test_one_whose_record_says_no_time_is_as_old_as_its_directory(tmp_path: Path, line: str) -> None:
    place = sweep_in(tmp_path / "sst2" / "main")
    (place / "record.jsonl").write_text(line)
    begun = sweep_in(tmp_path / "sst2" / "begun")  # has no record yet
    (begun / "record.jsonl").rename(begun / "sweep.yaml")
    for directory, day in ((place, 1), (begun, 2)):
        when = datetime(2026, 11, day, 12).timestamp()
        os.utime(directory, (when, when))
    assert list(directories(tmp_path).sweeps) == [begun, place]


def test_a_link_counts_where_it_leads_elsewhere(tmp_path: Path) -> None:
    output = tmp_path / "outputs"
    sweep, run = sweep_in(output / "sst2" / "main"), run_in(output / "sst2" / RUN)
    moved = sweep_in(tmp_path / "disk" / SWEEP)
    for name, target in (("current", sweep), ("same", run), ("moved", moved)):
        (output / "sst2" / name).symlink_to(target)
    (output / "again").symlink_to(output / "sst2")
    found = directories(output)
    assert list(found.runs) == [run] and set(found.sweeps) == {sweep, output / "sst2" / "moved"}


def test_no_folder_is_listed_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sst2", "agnews"):
        run_in(tmp_path / name / RUN)
        sweep_in(tmp_path / name / "main", "000")
    listed: Counter[str] = Counter()
    scan = os.scandir

    def counted(folder: Any) -> Any:
        listed[str(Path(folder).relative_to(tmp_path))] += 1
        return scan(folder)

    monkeypatch.setattr(os, "scandir", counted)
    directories(tmp_path, trials=True)
    assert listed == dict.fromkeys([".", "sst2", "agnews", "sst2/main/trials", "agnews/main/trials"], 1)


def test_sweeps_of_one_experiment_or_right_in_the_folder(tmp_path: Path) -> None:
    run_in(tmp_path / "sst2" / RUN)
    inner, above = sweep_in(tmp_path / "sst2" / "main", "000"), sweep_in(tmp_path / "mine", "000")
    assert set(sweeps_below(tmp_path)) == {inner, above}
    assert list(sweeps_below(tmp_path / "sst2")) == [inner]
    assert list(sweeps_below(inner)) == []
