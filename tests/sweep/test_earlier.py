from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.config.compose import compose
from espalier.core.outcome import Cost, Outcome
from espalier.core.rundir import write_outcome
from espalier.sweep.earlier import Earlier

EPOCHS = "trainer.max_epochs=10"
EXPERIMENT = compose(["data=digits", "model=mlp", "adapter=full", EPOCHS])


def leave(output: Path, place: str, wall: float = 30.0, train: float = 20.0, **more: Any) -> None:
    directory = output / place
    directory.mkdir(parents=True)
    options = {"data": "digits", "model": "mlp", "adapter": "full", **more.pop("options", {})}
    given: dict[str, Any] = {
        "status": "done", "name": "x", "seed": 0, "started": "", "pid": 1, "host": "here", "epochs": 2,
        "cost": Cost(wall_seconds=wall, train_seconds=train, peak_memory_bytes=500),
        "data": {"counts": {"train": {"kept": 1000}}},
        "summary": {"options": options, "estimate": {"disk_bytes": 70, "memory_bytes": 400}},
    }  # fmt: skip
    write_outcome(directory, Outcome(**{**given, **more}))


def test_time_grows_with_epochs_and_what_is_done_once_does_not(tmp_path: Path) -> None:
    leave(tmp_path, "x/one")
    found = Earlier(str(tmp_path)).expected(EXPERIMENT, 3)
    assert found and (found.trials, found.seconds, found.memory, found.disk, found.like) == (3, 110.0, 500, 70, 1)


def test_fewer_rows_take_less(tmp_path: Path) -> None:
    leave(tmp_path, "x/one")
    fewer = compose(["data=digits", "model=mlp", "adapter=full", EPOCHS, "data.limit=100"])
    found = Earlier(str(tmp_path)).expected(fewer, 1)
    assert found and found.seconds == 20.0


@pytest.mark.parametrize("name", ["sweep-2026-11-30_14-02-11-3fa9c1", "main"])
def test_trials_of_sweeps_count_and_the_middle_one_is_taken(tmp_path: Path, name: str) -> None:
    for number, wall in enumerate((20.0, 22.0, 900.0)):
        leave(tmp_path, f"x/{name}/trials/{number:03d}", wall=wall, train=wall)
    (tmp_path / "x" / name / "record.jsonl").touch()
    found = Earlier(str(tmp_path)).expected(EXPERIMENT, 1)
    assert found and (found.seconds, found.like) == (110.0, 3)


@pytest.mark.parametrize("more", [{"options": {"model": "cnn"}}, {"status": "failed"}, {"epochs": 0}, {"cost": Cost()}])
def test_runs_that_say_nothing_of_it(tmp_path: Path, more: dict[str, Any]) -> None:
    leave(tmp_path, "x/one", **more)
    assert Earlier(str(tmp_path)).expected(EXPERIMENT, 1) is None


def test_no_folder_and_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert Earlier(str(tmp_path / "none")).expected(EXPERIMENT, 1) is None
    leave(tmp_path, "x/one")
    (tmp_path / "x" / "one" / "outcome.json").write_text("{")
    assert Earlier(str(tmp_path)).expected(EXPERIMENT, 1) is None
