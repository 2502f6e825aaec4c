"""The last words, the link and the exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.core.launching import Ended
from espalier.report import sweep_page
from espalier.sweep.driver import Driver
from espalier.sweep.finish import finish
from espalier.sweep.summary import Summary
from espalier.sweep.takeover import take_over
from sweep.simulation import Life, Plans, Simulated, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")
FIXED = {"sweep": "s", "launcher": "sim", "search": "grid", "pruning": "none", "words": ["x=1,2"]}
FAILS = Life(ends="failed", error="ValueError: no", ended=Ended(1))


@pytest.fixture(autouse=True)
def untracked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plans of the simulation have no tracking node; nothing else would be started."""
    monkeypatch.chdir(tmp_path)


def swept(directory: Path, lives: list[Life], points: int | None = None, **settings: Any) -> Driver:
    launcher = Simulated(Time(), 1, lambda number, attempt: lives[number] if attempt == 1 else FAILS)
    sweep = driver(directory, launcher, choices(*map(float, range(points or len(lives)))), **settings)
    take_over(sweep)
    sweep.run()
    return sweep


def ended(sweep: Driver, status: str = "done", code: int = 0) -> int:
    return finish(sweep, Summary(sweep, FIXED, "2026-11-30T14:02:11+00:00"), status, code)


def test_the_best_is_linked_and_its_command_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "sweep-1"
    assert ended(swept(place, [Life([0.5]), Life([0.9])])) == 0
    assert (place / "best").resolve() == place / "trials" / "001" and (place / "report.html").exists()
    assert "espalier train x=1.0 seed=0" in capsys.readouterr().out
    assert ended(swept(place, [Life([0.5]), Life([0.9]), Life([0.95])])) == 0
    assert (place / "best").resolve() == place / "trials" / "002"
    assert [file.name for file in place.glob(".best-*")] == []


@pytest.mark.parametrize("error", ["ValueError: no", "out of memory: MemoryError"])
def test_a_better_mean_of_fewer_seeds_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], error: str) -> None:
    lives = [
        Life([0.5]),
        Life([0.9]),
        replace(FAILS, error=error),
        Life([0.5]),
    ]  # the better one of two gets its second seed first
    ended(swept(tmp_path, lives, points=2, plans=Plans(seeds=(0, 1))))
    said = capsys.readouterr().out
    assert "x=1.0 is better by the mean of 1 of 2 seeds; another seed of it has failed" in said
    assert "espalier sweep retry --failed" in said


def test_with_nothing_done_it_has_failed(tmp_path: Path) -> None:
    assert ended(swept(tmp_path, [FAILS, FAILS])) == 1
    assert not (tmp_path / "best").exists()


def test_failures_count_from_where_this_driver_began(tmp_path: Path) -> None:
    lives = [FAILS, FAILS, Life(), Life()]
    first = swept(tmp_path, lives, max_failures=2)
    assert first.ending == "stopped" and ended(first, "stopped") == 1
    second = swept(tmp_path, lives, max_failures=2)
    assert (second.ending, second.failures) == ("", 0)
    assert [trial.state for trial in second.trials.values()] == ["failed", "failed", "done", "done"]
    assert ended(second) == 0


def test_a_winner_that_could_not_be_tested_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = swept(tmp_path, [Life()])
    sweep.conclusion.faults[0] = "no disk"
    assert ended(sweep) == 1 and "trial 0 could not be tested: no disk" in capsys.readouterr().out


def test_why_it_ended_and_how_to_come_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = swept(tmp_path / "sweep-1", [Life()])
    sweep.why = "sweep.max_time=2 minutes are over"
    assert ended(sweep, "stopped") == 0 and "sweep.max_time=2 minutes are over" in capsys.readouterr().out
    assert ended(sweep, "interrupted", 130) == 130
    capsys.readouterr()
    assert ended(sweep, "detached") == 0
    assert "it goes on without this process; see to it:  espalier sweep resume sweep-1" in capsys.readouterr().out


def test_a_page_that_cannot_be_made_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(place: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(sweep_page, "write_sweep_report", fails)
    assert ended(swept(tmp_path / "sweep-1", [Life()])) == 0
    said = capsys.readouterr().out
    assert "report.html could not be made (OSError: disk full); again:  espalier sweep report sweep-1" in said
