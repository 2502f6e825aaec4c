from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.record import trial_directory
from espalier.report.sweep_curves import curve_plot, histories, occupancy_words, seed_plot, slot_plot
from espalier.report.sweep_read import read_sweep
from report.sweep_files import Made, grid, renamed, searched


def test_curves_stand_in_three_lines_with_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(searched(tmp_path, monkeypatch))
    told = histories(sweep)
    plot = curve_plot(sweep, told)
    assert plot and [trace.name for trace in plot.figure.data] == [
        "did not come to its end", "came to its end", "best configuration"
    ]  # fmt: skip
    best = plot.figure.data[2]
    assert list(best.y).count(None) == 3  # three seeds
    first = next(one for one in told if sweep.best and one.trial == sweep.best.done[0].trial)
    assert list(best.y[:9]) == [number for _, number in first.points] and best.customdata[0][1] == 25


def test_many_long_curves_are_thinned_to_their_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(40):
        made.run(made.plan({"x": i}), [0.5 + j / 4000 for j in range(1500)])
    sweep = read_sweep(made.finish())
    plot = curve_plot(sweep, histories(sweep))
    assert plot and len(plot.figure.data[0].x) < 24_000 and plot.figure.data[0].x[-2] == 1500


def test_a_broken_curve_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    before = len(histories(sweep))
    (trial_directory(tmp_path, 4) / "metrics.jsonl").write_text('"validation/accuracy" {\n')
    assert len(histories(sweep)) == before - 1


def test_curves_are_of_the_first_objective_that_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = grid(tmp_path, monkeypatch)
    seconds = {"name": "cost.train_seconds", "direction": "min"}
    renamed(directory, objectives=[seconds, {"name": "validation/accuracy", "direction": "max"}])
    sweep = read_sweep(directory)
    plot = curve_plot(sweep, histories(sweep))
    assert plot and plot.figure.layout.yaxis.title.text == "validation accuracy"
    renamed(directory, objectives=[seconds])
    assert histories(read_sweep(directory)) == []


def test_slots_are_rows_and_states_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plot = slot_plot(read_sweep(grid(tmp_path, monkeypatch)))
    assert plot and plot.figure.layout.yaxis.categoryarray == ("cpu:1", "cpu:0")
    assert [trace.name for trace in plot.figure.data] == ["came to its end", "failed", "out of memory"]
    assert sum(len(trace.x) for trace in plot.figure.data) == 27
    assert plot.note.startswith("2 slots at once for ")


def test_jobs_with_a_name_each_share_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch, slots=3)
    for i in range(60):
        made.run(made.plan({"x": i}), [0.5], seconds=10)
    made.events = [(at, kind, n, {**more, "slot": f"job {n}"} if kind == "running" else more)
                   for at, kind, n, more in made.events]  # fmt: skip
    sweep = read_sweep(made.finish())
    plot = slot_plot(sweep)
    assert plot and plot.figure.layout.yaxis.categoryarray == ("003", "002", "001")
    assert occupancy_words(sweep) == "3 slots at once for 3 min 20 s, held 100% of that time."


def test_idle_slots_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [0.5], seconds=100)
    made.run(made.plan({"x": 2}), [0.5], seconds=50)
    assert occupancy_words(read_sweep(made.finish())) == "2 slots at once for 1 min 40 s, held 75% of that time."


def test_seeds_with_their_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    plot = seed_plot(sweep)
    assert plot and sweep.best
    seeds, means = plot.figure.data
    assert len(seeds.x) == 25 and means.x[-1] == sweep.best.means[0] and "over 9 configurations" in plot.note


def test_nothing_has_no_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.plan({"x": 1})
    sweep = read_sweep(made.finish("running"))
    assert (curve_plot(sweep, histories(sweep)), slot_plot(sweep), seed_plot(sweep)) == (None, None, None)
    assert occupancy_words(sweep) == ""
