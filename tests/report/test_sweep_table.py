from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from espalier.core.record import trial_directory
from espalier.report.sweep_read import read_sweep
from espalier.report.sweep_rungs import EarlyAndFinal
from espalier.report.sweep_table import command_of, figures_on_test, markdown, took_words, trials_csv
from report.sweep_files import Made, grid, searched, with_second


def test_every_trial_is_a_line_of_the_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    rows = list(csv.DictReader(io.StringIO(trials_csv(sweep))))
    assert [int(row["trial"]) for row in rows] == list(range(28))
    assert rows[3]["adapter"] == "lora" and rows[3]["test/accuracy"] == "0.871" and float(rows[3]["seconds"]) > 40
    assert float(rows[3]["validation/accuracy"]) == sweep.trials[3].values[0]
    assert (
        rows[25]["state"] == "failed" and rows[25]["why"].startswith("RuntimeError") and not rows[25]["validation/loss"]
    )
    assert rows[27]["same_as"] == "24" and rows[9]["adapter.r"] == ""


def test_objectives_that_are_no_metrics_have_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(csv.DictReader(io.StringIO(trials_csv(read_sweep(with_second(tmp_path, monkeypatch))))))
    assert float(rows[0]["cost.peak_memory_bytes"]) == pytest.approx(1e6 * 8**1.2)


def test_the_page_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    text = markdown(sweep, [EarlyAndFinal(1, 25, 0.4, 3), EarlyAndFinal(2, 4, None, 0)], ["28 trials", "25 done"])
    assert "28 trials, 25 done, done." in text
    assert "    espalier train data=sst2 adapter=lora optimizer.lr=0.0003 adapter.r=8 seed=0" in text
    assert "On test (n=3): accuracy 0.875 ± 0.004" in text
    assert "| 25 | failed | RuntimeError: loss is NaN &lt;b> | adapter=full lr=0.001 seed=1 |" in text
    assert "| 1 | 0.40 (low) | 25 | 3 |" in text and "| 2 | – | 4 | 0 |" in text


def test_bars_and_stars_break_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": "a|b*c\nd"}), [], ends="failed", why="E: |")
    (line,) = [line for line in markdown(read_sweep(made.finish()), [], ["1 trial"]).splitlines() if "E:" in line]
    assert line == "| 0 | failed | E: \\| | x=a\\|b\\*c d seed=0 |"


def test_the_command_is_the_runs_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    best = sweep.best
    assert best and command_of(sweep, best).startswith("espalier train data=sst2 ")
    (trial_directory(tmp_path, 3) / "outcome.json").unlink()
    assert command_of(sweep, best) == "espalier train adapter=lora optimizer.lr=0.0003 adapter.r=8 seed=0"
    own = replace(sweep, summary={"best": {"words": ["--config-dir", "/my conf", "adapter=lora"]}})
    assert command_of(own, best).startswith("espalier train --config-dir '/my conf' adapter=lora optimizer.lr=0.0003")


def test_figures_of_the_test_split_over_its_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    best = sweep.best
    assert best
    accuracy, *_ = figures_on_test(sweep, best)
    assert (accuracy.name, accuracy.runs, accuracy.said) == ("test/accuracy", 3, "0.875 ± 0.004")
    untested = read_sweep(grid(tmp_path / "second", monkeypatch, tested=False))
    assert untested.best and figures_on_test(untested, untested.best) == []


def test_time_used_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert took_words(read_sweep(searched(tmp_path, monkeypatch)))["saved by stopping early"] == "41 min 00 s"
