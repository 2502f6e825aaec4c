from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from espalier.config.multirun import read_command
from espalier.core.launching import Ended
from espalier.core.record import Record, read_record
from espalier.core.searching import Point
from espalier.core.trial import read_trial
from espalier.sweep.attempts import Attempts
from espalier.sweep.definition import Definition
from espalier.sweep.places import Places
from espalier.sweep.plan import Planner
from sweep.simulation import Life, Simulated, Time


def made(directory: Path, life: Callable[[int, int], Life], *words: str) -> tuple[Attempts, Simulated]:
    """With real configs."""
    directory.mkdir()
    command = read_command(["data=digits", "model=mlp", "adapter=full", "optimizer.lr=1e-3,1e-2", "seed=3,4", *words])
    launcher = Simulated(Time(), 2, life)
    planner, record = Planner(command), Record(directory)
    clock = lambda: launcher.time.now  # noqa: E731
    attempts = Attempts(directory, record, Places(launcher, clock), planner, lambda many: (1, many - 1), "", 2, clock)
    points: list[Point] = [{"optimizer.lr": 1e-3}, {"optimizer.lr": 1e-3}]
    for number, (point, seed) in enumerate(zip(points, (3, 4), strict=True)):
        plan = planner.at(point, seed)
        told = {"point": dict(point), "seed": seed, "words": list(plan.words), "name": plan.name}
        record.write("planned", number, configuration=0, **told)
    return attempts, launcher


def test_a_trial_is_placed(tmp_path: Path) -> None:
    attempts, launcher = made(tmp_path / "sweep-x-abc", lambda *_: Life())
    for number in (0, 1):
        attempts.place(attempts.record.trials[number])
    first, second = (read_trial(tmp_path / "sweep-x-abc" / "trials" / f"00{n}") for n in (0, 1))
    assert first and (first.sweep, first.number, first.run_id, first.rungs) == ("sweep-x-abc", 0, "abc-000", (1, 7))
    assert first.words == ("optimizer.lr=0.001", "seed=3") and first.name == "lr=0.001 seed=3"
    assert second and second.rungs == ()  # a further seed is never cut
    config = yaml.safe_load((tmp_path / "sweep-x-abc" / "trials" / "001" / "config.yaml").read_text())
    assert (config["seed"], config["optimizer"]["lr"]) == (4, 1e-3)
    assert not {"sweep", "search", "pruning", "launcher"} & config.keys()
    assert [trial.state for trial in read_record(tmp_path / "sweep-x-abc")] == ["running"] * 2
    assert launcher.placed == [(0, "run", False), (1, "run", False)]


@pytest.mark.parametrize(("given", "id", "group"), [("3fa9c1", "3fa9c1-000", "main-3fa9c1"), ("", "main-000", "main")])
def test_what_is_the_sweeps_own_is_its_trials_too(tmp_path: Path, given: str, id: str, group: str) -> None:
    attempts, _ = made(tmp_path / "main", lambda *_: Life())
    planner = attempts.plans
    assert isinstance(planner, Planner)
    replace(Definition.of(planner.command, planner), id=given).write(tmp_path / "main")
    attempts.place(attempts.record.trials[0])
    trial = read_trial(tmp_path / "main" / "trials" / "000")
    assert trial and (trial.run_id, trial.group) == (id, group)


def test_half_the_micro_batch_where_memory_does_not_suffice(tmp_path: Path) -> None:
    life = Life(ends="failed", error="out of memory: OutOfMemoryError", ended=Ended(1))
    attempts, launcher = made(tmp_path / "sweep-x-abc", lambda *_: life, "hardware=cpu", "hardware.oom=halve")
    file = tmp_path / "sweep-x-abc" / "trials" / "001" / "config.yaml"
    for halved in range(1, 6):
        attempts.place(attempts.record.trials[1])
        launcher.time.sleep(61)
        ((number, running, ended),) = attempts.places.ended()
        ending, _ = attempts.end(attempts.record.trials[number], running, ended)
        trial = attempts.record.trials[1]
        if halved < 5:
            assert (ending.kind, trial.state, trial.halved) == ("halve", "planned", halved)
            assert yaml.safe_load(file.read_text())["trainer"]["accumulate_grad_batches"] == 2**halved
            assert yaml.safe_load(file.read_text())["data"]["batch_size"] == 32
    assert (trial.state, trial.halved) == ("infeasible", 4) and "halved 4 times" in trial.why
    assert trial.cost and trial.cost["seconds"] > 300 - 1
    assert [resume for _, _, resume in launcher.placed] == [False, True, True, True, True]


def test_killed_while_it_halves_it_is_halved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(ends="failed", error="out of memory: OutOfMemoryError", ended=Ended(1))
    attempts, launcher = made(tmp_path / "sweep-x-abc", lambda *_: life, "hardware=cpu", "hardware.oom=halve")
    attempts.place(attempts.record.trials[1])
    launcher.time.sleep(61)
    ((_, running, ended),) = attempts.places.ended()
    write = attempts.record.write
    monkeypatch.setattr(attempts.record, "write", lambda *_, **__: None)
    attempts.end(attempts.record.trials[1], running, ended)
    monkeypatch.setattr(attempts.record, "write", write)
    attempts.end(attempts.record.trials[1], running, ended)
    file = tmp_path / "sweep-x-abc" / "trials" / "001" / "config.yaml"
    assert yaml.safe_load(file.read_text())["trainer"]["accumulate_grad_batches"] == 2
    assert attempts.record.trials[1].halved == 1
