"""Sweeps as a person runs them: real trials in processes of their own, drivers killed, ended and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from e2e.console import ESPALIER, espalier
from espalier.core.record import read_events, read_record
from espalier.core.rundir import read_outcome

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("sweep")]
SMALL = (
    "data=digits", "model=mlp", "adapter=full", "task=classification", "hardware=cpu", "callback=[checkpoint]",
    "tracking=none", "task.bootstrap=20", "name=small",
)  # fmt: skip
GRID = (*SMALL, "trainer.max_epochs=30", "optimizer.lr=1e-3,1e-2", "seed=0,1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with one whole sweep."""
    folder = tmp_path_factory.mktemp("whole")
    done = espalier(folder, "train", "-m", *GRID)
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    """A grid that nobody disturbed."""
    (sweep,) = (folder / "outputs" / "small").glob("sweep-*")
    return sweep


def test_a_grid(folder: Path, whole: Path) -> None:
    sweep, trials = whole, read_record(whole)
    assert [(trial.name, trial.state) for trial in trials] == [
        ("lr=0.001 seed=0", "done"), ("lr=0.001 seed=1", "done"), ("lr=0.01 seed=0", "done"),
        ("lr=0.01 seed=1", "done"),
    ]  # fmt: skip
    tested = {trial.configuration for trial in trials if any(name.startswith("test/") for name in trial.metrics or {})}
    summary = json.loads((sweep / "summary.json").read_text())
    best = summary["best"]
    assert tested == {best["configuration"]} and best["n"] == 2 and best["sd"] is not None
    assert (sweep / "best").resolve() == sweep / "trials" / f"{best['trials'][0]:03d}"
    assert (sweep / "best" / "model").is_dir() and (sweep / "report.html").exists()
    others = [sweep / "trials" / f"{t.trial:03d}" for t in trials if t.configuration != best["configuration"]]
    assert all(not (other / "model").exists() and not (other / "predictions").exists() for other in others)
    said = (folder / "said.txt").read_text()
    assert f"espalier train {' '.join(SMALL[:4])}" in said and "± " in said
    told = espalier(folder, "sweep", "status")
    assert "4 trials   4 done" in told.stdout
    again = espalier(folder, "sweep", "resume")
    assert again.returncode == 0 and "4 done" in again.stdout and len(list(read_events(sweep))) == 14
    other = ("optimizer.lr=1e-3,2e-2" if word.startswith("optimizer.lr") else word for word in GRID)
    changed = espalier(folder, "train", "-m", *other, f"sweep.dir={sweep}")
    assert changed.returncode == 2 and "was 0.001, 0.01" in changed.stderr


def test_ended_by_hand_killed_again_and_again_and_resumed(whole: Path, tmp_path: Path) -> None:
    """Every trial exactly once; the table is that of a sweep that nobody disturbed, but for times."""
    place = tmp_path / "outputs" / "small" / "sweep-disturbed"
    words = ("train", "-m", *GRID, f"sweep.dir={place}")
    end_by_hand(driven(tmp_path, *words), place)
    for delay in (0.2, 0.9):
        driver = driven(tmp_path, *words)
        wait_for_event(place, driver)
        time.sleep(delay)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    last = driven(tmp_path, "sweep", "resume", str(place))
    wait_for_event(place, last)
    refused = espalier(tmp_path, "sweep", "resume", str(place))
    assert refused.returncode == 2 and f"process {last.pid} on {os.uname().nodename}" in refused.stderr
    assert last.wait(timeout=240) == 0
    counts = Counter(event["trial"] for event in read_events(place) if event["event"] == "done")
    assert counts == dict.fromkeys(range(4), 1)
    assert read_record(place)[0].attempts >= 2
    assert table(place) == table(whole)


def end_by_hand(driver: subprocess.Popen[bytes], place: Path) -> None:
    """In the midst of its first trial, as Ctrl-C does."""
    wait_for_event(place, driver)
    wait_until(lambda: (place / "trials" / "000" / "checkpoints").exists())
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=120) == 130
    assert {trial.state for trial in read_record(place)} == {"planned"}
    assert read_outcome(place / "trials" / "000").status == "interrupted"
    assert json.loads((place / "summary.json").read_text())["status"] == "interrupted"


def test_a_rule_cuts_trials_and_lets_some_go_on(tmp_path: Path) -> None:
    words = [
        *SMALL, "trainer.max_epochs=4", "optimizer.lr=interval(1e-4,3e-2)", "sweep=asha", "sweep.trials=6",
        "seed=0,1", "sweep.finalists=1", "pruning.reduction=2",
    ]  # fmt: skip
    done = espalier(tmp_path, "train", "-m", *words)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "outputs" / "small").glob("sweep-*")
    trials = read_record(sweep)
    assert [trial.seed for trial in trials] == [0] * 6 + [1] and trials[6].state == "done"
    assert {trial.state for trial in trials} == {"done", "stopped"}
    cut = [trial for trial in trials if trial.state == "stopped"]
    assert cut and all(read_outcome(sweep / "trials" / f"{t.trial:03d}").status == "paused" for t in cut)
    assert json.loads((sweep / "summary.json").read_text())["best"]["n"] == 2


def driven(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A driver beside the test; its own process group, as a terminal would have it."""
    return subprocess.Popen(
        [ESPALIER, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for_event(place: Path, driver: subprocess.Popen[bytes]) -> None:
    """Until this driver has placed, or taken up, a trial."""

    def moved() -> int:
        return sum(event["event"] != "planned" for event in read_events(place)) if place.exists() else 0

    before = moved()
    wait_until(lambda: moved() > before or driver.poll() is not None)


def wait_until(is_so: Any) -> None:
    until = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def table(sweep: Path) -> Sequence[Mapping[str, Any]]:
    def rows() -> Iterator[Mapping[str, Any]]:
        for trial in read_record(sweep):
            kept = ("trial", "configuration", "point", "seed", "words", "name", "state", "values", "metrics", "digest")
            yield {name: getattr(trial, name) for name in kept}

    return list(rows())
