from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from espalier.core.errors import UserError
from espalier.core.lock import held
from espalier.report.sweep_read import (
    Objective,
    read_summary,
    read_sweep,
    seconds_of,
    settings_text,
    status_of,
    value_of,
)
from report.sweep_files import OBJECTIVE, Made, grid, renamed, searched


def test_seeds_of_one_configuration_are_judged_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    assert sweep.best and sweep.best.name == "adapter=lora lr=0.0003 r=8" and len(sweep.best.done) == 3
    means = [trial.values[0] for trial in sweep.trials if trial.configuration == sweep.best.number]
    assert sweep.best.means[0] == pytest.approx(sum(means) / 3) and (sweep.best.deviations[0] or 0) > 0
    assert sweep.best.words == ("adapter=lora", "optimizer.lr=0.0003", "adapter.r=8")
    assert sweep.keys == ["adapter", "optimizer.lr", "adapter.r"]
    assert sweep.counts == {"done": 25, "infeasible": 1, "failed": 1, "duplicate": 1}
    later = [one.means[0] for one in sweep.configurations[1:]]
    assert later == sorted(later, reverse=True)


def test_what_the_driver_holds_for_the_best_is_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed(grid(tmp_path, monkeypatch), best={"configuration": 9})
    best = read_sweep(tmp_path).best
    assert best and best.number == 9


def test_a_mean_of_fewer_seeds_is_not_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    first = made.plan({"x": 1})
    made.run(first, [0.8])
    made.run(made.plan({"x": 1}, 1, first), [0.82])
    made.run(made.plan({"x": 2}), [0.9])
    renamed(made.finish(), best=None)
    (tmp_path / "summary.json").unlink()
    sweep = read_sweep(tmp_path)
    assert sweep.best and sweep.best.number == first
    assert sweep.objectives == [Objective(OBJECTIVE, "max")]  # as its runs say it


def test_values_that_are_no_numbers_are_not_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [0.7])
    made.record.write("done", 0, values=[math.nan], metrics={}, cost={})
    made.events.clear()
    sweep = read_sweep(made.finish(best=None))
    assert sweep.best is None and value_of(sweep.trials[0], 0) is None and value_of(sweep.trials[0], 1) is None


def test_smaller_is_better_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for height in (0.7, 0.3, 0.5):
        made.run(made.plan({"x": height}), [height])
    made.finish()
    (tmp_path / "summary.json").write_text('{"objectives": [{"name": "validation/loss", "direction": "min"}]}')
    assert [one.means[0] for one in read_sweep(tmp_path).configurations] == [0.3, 0.5, 0.7]


def test_attempts_are_what_the_record_says_of_slots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(searched(tmp_path, monkeypatch, trials=12))
    assert len(sweep.attempts) == len([trial for trial in sweep.trials if trial.attempts])
    assert {one.slot for one in sweep.attempts} == {"cpu:0", "cpu:1", "cpu:2", "cpu:3"}
    first = next(one for one in sweep.attempts if one.trial == 0)
    assert first.state == "done" and first.end - first.start == pytest.approx(seconds_of(sweep.trials[0]), abs=0.01)


def test_a_trial_that_runs_holds_its_slot_until_the_last_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [0.5], ends="running", seconds=10)
    made.run(made.plan({"x": 2}), [0.5], seconds=60)
    (one,) = [one for one in read_sweep(made.finish("running")).attempts if one.state == "running"]
    assert (one.trial, one.end - one.start) == (0, 60)


def test_a_sweep_that_nobody_drives_was_killed(tmp_path: Path) -> None:
    assert status_of(tmp_path, {"status": "running"}) == "killed" and status_of(tmp_path, {"status": "done"}) == "done"
    with held(tmp_path):
        assert status_of(tmp_path, {"status": "running"}) == "running"


def test_a_sweep_may_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move(grid(tmp_path / "before", monkeypatch), tmp_path / "after")
    assert read_sweep(tmp_path / "after").best


def test_secrets_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = settings_text(grid(tmp_path, monkeypatch))
    assert "finalists: 3" in text and "hunter2" not in text


def test_what_is_no_sweep_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no sweep's directory"):
        read_sweep(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    assert read_summary(tmp_path) == {}


def test_figures_with_their_units() -> None:
    assert Objective("cost.train_seconds", "min").said(161.3) == "2 min 41 s"
    assert Objective("cost.peak_memory_bytes", "min").said(1.13e9) == "1.1 GB"
    assert Objective("validation/f1_macro", "max").said(0.874, 0.0031) == "0.874 ± 0.003"
    assert [Objective(name, "max").words for name in ("validation/f1_macro", "cost.train_seconds")] == [
        "F1 macro",
        "train seconds",
    ]
