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

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
SMALL = (
    "data=digits", "model=mlp", "adapter=full", "task=classification", "hardware=cpu", "callback=[checkpoint]",
    "tracking=none", "task.bootstrap=20", "name=small",
)  # fmt: skip


def test_a_grid(tmp_path: Path) -> None:
    done = espalier(tmp_path, "train", "-m", *SMALL, "trainer.max_epochs=2", "optimizer.lr=1e-3,1e-2", "seed=0,1")
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "outputs" / "small").glob("sweep-*")
    trials = read_record(sweep)
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
    assert f"espalier train {' '.join(SMALL[:4])}" in done.stdout and "± " in done.stdout
    told = espalier(tmp_path, "sweep", "status")
    assert "4 trials   4 done" in told.stdout
    again = espalier(tmp_path, "sweep", "resume")
    assert again.returncode == 0 and "4 done" in again.stdout and len(list(read_events(sweep))) == 14
    changed = espalier(
        tmp_path, "train", "-m", *SMALL, "trainer.max_epochs=2", "optimizer.lr=1e-3,2e-2", "seed=0,1",
        f"sweep.dir={sweep}",
    )  # fmt: skip
    assert changed.returncode == 2 and "was 0.001, 0.01" in changed.stderr


def test_killed_again_and_again(tmp_path: Path) -> None:
    """Every trial exactly once; the table is that of a sweep that nobody disturbed, but for times."""
    words = [*SMALL, "trainer.max_epochs=4", "optimizer.lr=1e-3,2e-3,4e-3,6e-3,8e-3,1e-2"]
    whole, place = tmp_path / "outputs" / "small" / "sweep-whole", tmp_path / "outputs" / "small" / "sweep-killed"
    done = espalier(tmp_path, "train", "-m", *words, f"sweep.dir={whole}")
    assert done.returncode == 0, done.stderr
    for delay in (0.2, 1.5, 0.9):
        driver = driven(tmp_path, "train", "-m", *words, f"sweep.dir={place}")
        wait_for_event(place, driver)
        time.sleep(delay)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    second = driven(tmp_path, "sweep", "resume", str(place))
    wait_for_event(place, second)
    refused = espalier(tmp_path, "sweep", "resume", str(place))
    assert refused.returncode == 2 and f"process {second.pid} on {os.uname().nodename}" in refused.stderr
    assert second.wait(timeout=240) == 0
    counts = Counter(event["trial"] for event in read_events(place) if event["event"] == "done")
    assert counts == dict.fromkeys(range(6), 1)
    assert table(place) == table(whole)


def test_ended_by_hand_and_resumed(tmp_path: Path) -> None:
    words = [*SMALL, "trainer.max_epochs=100", "callback=[checkpoint]", "optimizer.lr=1e-3,1e-2", "sweep.test=false"]
    place = tmp_path / "outputs" / "small" / "sweep-ended"
    driver = driven(tmp_path, "train", "-m", *words, f"sweep.dir={place}")
    wait_for_event(place, driver)
    wait_until(lambda: (place / "trials" / "000" / "checkpoints").exists())
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=120) == 130
    assert {trial.state for trial in read_record(place)} == {"planned"}
    assert read_outcome(place / "trials" / "000").status == "interrupted"
    assert json.loads((place / "summary.json").read_text())["status"] == "interrupted"
    resumed = espalier(tmp_path, "sweep", "resume", str(place))
    assert resumed.returncode == 0, resumed.stderr
    assert [(trial.state, trial.attempts) for trial in read_record(place)] == [("done", 2)] * 2


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
