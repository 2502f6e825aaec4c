from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.core.record import TrialRecord
from espalier.report.layout import width_of
from espalier.report.sweep_lines import (
    best_lines,
    best_words,
    count_words,
    end_lines,
    failure_lines,
    status_lines,
)
from espalier.report.sweep_read import read_sweep
from report.sweep_files import grid, searched

EMPTY = TrialRecord(0, 0, {}, 0, (), "lr=0.1")
RUNNING: dict[str, Any] = {
    "status": "running",
    "total": 27,
    "counts": {"done": 14, "running": 2, "paused": 9, "failed": 1, "planned": 0},
    "objectives": [{"name": "validation/accuracy", "direction": "max"}],
    "best": {"name": "adapter=dora lr=0.0006", "values": [0.8791], "sd": 0.003, "n": 3, "trials": [4, 5, 6],
             "words": ["data=sst2", "adapter=dora"],
             "test": {"test/accuracy": 0.871}, "test_sd": {"test/accuracy": 0.004}},
    "slots": [{"slot": "cpu:0", "trial": 19, "name": "lr=0.1", "validations": 2, "of": 3},
              {"slot": "cpu:1", "trial": 22, "name": "lr=0.2", "validations": 0, "of": None}],
    "eta_seconds": 360, "seconds_used": 7200, "seconds_saved": 2460,
}  # fmt: skip


def test_how_far_it_is() -> None:
    assert status_lines(RUNNING, width=110) == [
        "27 trials   14 done   2 running   9 paused   1 failed   1 waiting",
        "best accuracy 0.879 ± 0.003 (n=3)  adapter=dora lr=0.0006",
        "  cpu:0   trial 19   validation 2/3   lr=0.1",
        "  cpu:1   trial 22   validation 0     lr=0.2",
        "about 6 min 00 s left   2 h 00 min of machine time used   pruning has saved 41 min 00 s",
    ]


def test_narrow_lines_are_broken_between_their_parts() -> None:
    lines = status_lines(RUNNING, width=80)
    assert max(map(width_of, lines)) <= 80 and lines[0].endswith("1 waiting")


def test_one_whose_driver_is_gone() -> None:
    lines = status_lines(RUNNING, killed=True, width=110)
    assert "its driver is gone" in lines[-1] and "left" not in lines[-1] and not any("cpu:0" in line for line in lines)


def test_a_summary_that_says_nothing_yet() -> None:
    assert status_lines({}, width=110) == ["0 trials"]
    assert best_words({}) == "" and best_lines({}, Path("s")) == ["no trial is done yet"]


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({"total": None, "counts": {"done": 1}}, ["1 trial", "1 done"]),
        ({"total": 1000, "counts": {"running": 2}}, ["1,000 trials", "2 running", "998 waiting"]),
        ({"total": 5, "counts": {"done": 3, "planned": 2}}, ["5 trials", "3 done", "2 waiting"]),
        ({"total": 5, "counts": {"done": 3}, "status": "stopped"}, ["5 trials", "3 done"]),
        ({"counts": {"done": 2, "duplicate": 1}}, ["2 trials", "2 done", "1 the same as another"]),
        (
            {"total": 4, "counts": {"done": 2, "duplicate": 1, "running": 1}},
            ["4 trials", "2 done", "1 running", "1 the same as another"],
        ),
        ({"counts": {"infeasible": 1}}, ["1 trial", "1 out of memory"]),
    ],
)
def test_counts(summary: dict[str, Any], said: list[str]) -> None:
    assert count_words(summary) == said


def test_the_best_with_where_it_lies_and_its_command() -> None:
    assert best_lines(RUNNING, Path("outputs/x/sweep-1")) == [
        "best         accuracy 0.879 ± 0.003 (n=3)  adapter=dora lr=0.0006",
        "test         accuracy 0.871 ± 0.004",
        "it lies in   outputs/x/sweep-1/trials/004",
        "             outputs/x/sweep-1/trials/005",
        "             outputs/x/sweep-1/trials/006",
        "alone        espalier train data=sst2 adapter=dora",
    ]
    assert best_lines(RUNNING, Path("s"), "espalier train x")[-1].endswith("espalier train x")


def test_the_end_has_the_best_few_and_ways_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = read_sweep(grid(tmp_path, monkeypatch))
    (tmp_path / "report.html").touch()
    lines = end_lines({**sweep.summary, "status": "interrupted"}, sweep.trials, Path("outputs/it's"), width=120)
    assert lines[0].split() == ["trial", "accuracy", "seeds", "took", "what", "differs"]
    assert lines[1].split()[:5] == ["3", "0.876", "±", "0.0005", "3"] and lines[6] == ""
    assert lines[-2].split(None, 2) == ["go", "on", """espalier sweep resume 'outputs/it'"'"'s'"""]
    assert "espalier sweep retry --failed" in lines[-1]


def test_each_reason_of_failures_is_told_once_and_whole() -> None:
    why = "reviews.csv has an empty text or label on line 5. Mend the row, or set data.on_null=drop to leave it out."
    whys = [why, "ImportError: no such module", why, why, "x", "y", "y", ""]
    trials = [replace(EMPTY, trial=number, state="failed", why=one) for number, one in enumerate(whys)]
    assert failure_lines(trials, 60) == [
        "3 failed: reviews.csv has an empty text or label on line",
        "  5. Mend the row, or set data.on_null=drop to leave it out.",
        "2 failed: y",
        "1 failed: ImportError: no such module",
        "and for 1 other reason",
    ]
    assert failure_lines([replace(EMPTY, state="done")], 60) == []


def test_summaries_of_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = json.loads((searched(tmp_path, monkeypatch) / "summary.json").read_text())
    assert status_lines(summary, width=160)[0].startswith("46 trials   17 done   2 failed   27 stopped early")
