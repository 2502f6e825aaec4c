from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.report import sweep_plots
from espalier.report.sweep_read import read_sweep
from report.sweep_files import Made, grid, searched, with_second


def test_history_is_by_trial_with_the_best_until_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    (plot,) = sweep_plots.history_plots(sweep)
    points, best = plot.figure.data
    done = [trial.trial for trial in sweep.trials if trial.state == "done"]
    assert [x for x, y in zip(points.x, points.y, strict=True) if y == y] == done
    assert best.y[-1] == max(trial.values[0] for trial in sweep.trials if trial.state == "done")


def test_the_setting_that_matters_is_the_longest_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plots = sweep_plots.importance_plots(read_sweep(grid(tmp_path, monkeypatch)))
    (bars,) = plots[0].figure.data
    assert bars.y[-1] == "adapter" and bars.x[-1] > 0.8 and sum(bars.x) == pytest.approx(1)


def test_a_setting_that_some_have_is_looked_at_among_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    common, some = sweep_plots.importance_plots(read_sweep(searched(tmp_path, monkeypatch)))
    assert "adapter.r" not in common.figure.data[0].y and "adapter.r" in some.figure.data[0].y
    assert some.title.endswith("where adapter.r is set")


def test_slices_show_the_mean_of_seeds_and_their_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    plots = sweep_plots.slice_plots(sweep)
    assert [plot.title for plot in plots] == [
        "accuracy by adapter",
        "accuracy by optimizer.lr",
        "accuracy by adapter.r",
    ]
    rates = plots[1].figure
    assert rates.layout.xaxis.type == "log" and rates.layout.xaxis.ticktext == ("0.0001", "0.0003", "0.001")
    trace = rates.data[0]
    told = {text.partition(":")[0]: y for text, y in zip(trace.text, trace.y, strict=True)}
    assert sweep.best and told[f"trial {sweep.best.number}"] == sweep.best.means[0]
    assert sweep.best.deviations[0] in trace.error_y.array


def test_all_settings_at_once_with_whole_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(searched(tmp_path, monkeypatch))
    (plot,) = sweep_plots.parallel_plots(sweep)
    assert plot.figure.layout.xaxis.ticktext == ("accuracy", "adapter", "r", "batch_size", "lr", "weight_decay")
    configurations = [one for one in sweep.configurations if one.done]
    assert len(plot.figure.data) == len(configurations)
    # The best is drawn last, over the others.
    assert plot.figure.data[-1].line.color == "var(--mix-100)" and plot.figure.data[0].line.color == "var(--mix-0)"


def test_quality_against_cost_has_its_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (plot,) = sweep_plots.cost_plots(read_sweep(grid(tmp_path, monkeypatch)))
    others, front, line = plot.figure.data
    assert len(others.x) + len(front.x) == 9 and sorted(front.x) == list(line.x)
    assert list(line.y) == sorted(line.y)  # what costs more is better, or it would not be there
    assert plot.figure.layout.xaxis.title.text == "train seconds"


def test_two_objectives_stand_against_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(with_second(tmp_path, monkeypatch))
    (plot,) = sweep_plots.cost_plots(sweep)
    assert plot.title == "accuracy against peak memory bytes"
    assert len(sweep_plots.front_of(sweep)) == 6 and len(sweep_plots.history_plots(sweep)) == 2


@pytest.mark.parametrize(
    "plots", [sweep_plots.history_plots, sweep_plots.importance_plots, sweep_plots.slice_plots,
              sweep_plots.parallel_plots, sweep_plots.cost_plots, sweep_plots.front_of]
)  # fmt: skip
def test_a_single_trial_has_no_plots(plots: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [0.5, 0.6])
    assert plots(read_sweep(made.finish())) == []


def test_trials_that_are_all_alike_explain_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(6):
        made.run(made.plan({"x": i, "y": -i}), [0.5])
    assert sweep_plots.importance_plots(read_sweep(made.finish())) == []


def test_names_are_no_mark_up() -> None:
    assert sweep_plots.plain("<b>&</b>") == "&lt;b>&amp;&lt;/b>"
