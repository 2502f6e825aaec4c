"""Trials on this machine, by real processes and the real warm parent."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conf.defaults import defaults_of
from espalier.config.check import check
from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.launching import Ended, Job, Placed
from espalier.core.rundir import create, process_created
from espalier.core.trial import Trial, write_trial
from espalier.launcher.pool import Pool
from launcher.waiting import wait

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.xdist_group("pool")]

DIGITS = ("data=digits", "model=mlp", "adapter=full", "tracking=none", "callback=[checkpoint]")
TWO = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPU cores")


def pool(**settings: Any) -> Pool:
    return Pool(**defaults_of("launcher/pool", **{"trials": 2, "threads_per_trial": 1} | settings))


def trial(folder: Path, *words: str) -> Job:
    experiment = compose([*DIGITS, *words])
    check(experiment)
    directory = create(folder, "trials")
    write(experiment, directory)
    write_trial(directory, Trial("sweep-test", 0, directory.name, "a trial"))
    return Job(directory, resume=False, hardware=experiment.values["hardware"], environment={})


def place(launcher: Pool, job: Job) -> Placed:
    wait(lambda: launcher.fits(job) or None, 300)
    return launcher.submit(job)


def run(launcher: Pool, job: Job) -> None:
    placed = place(launcher, job)
    ended = wait(lambda: launcher.poll(placed), 180)
    assert ended == Ended(0), (job.directory / "log.txt").read_text()
    assert outcome(job)["status"] == "done"


def outcome(job: Job) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((job.directory / "outcome.json").read_text())
    return content


def begun(job: Job, placed: Placed) -> None:
    def look() -> bool | None:
        lives = process_created(placed.handle["pid"]) is not None
        assert lives, (job.directory / "log.txt").read_text()
        return (job.directory / "metrics.jsonl").exists() or None

    wait(look, 180)


@pytest.fixture(scope="module")
def warm() -> Iterator[Pool]:
    with pool() as launcher:
        yield launcher


def parent_of(launcher: Pool) -> int:
    assert launcher._parent
    return launcher._parent.pid


def test_a_forked_trial_is_the_same_as_one_that_is_started_anew(warm: Pool, tmp_path: Path) -> None:
    words = ("hardware=cpu", "trainer.max_epochs=2", "seed=3")
    forked, anew = trial(tmp_path, *words), trial(tmp_path, *words)
    run(warm, forked)
    with pool(warm=False) as cold:
        run(cold, anew)
    for name in ("metrics.jsonl", *weights(forked.directory)):
        assert (forked.directory / name).read_bytes() == (anew.directory / name).read_bytes(), name
    assert weights(forked.directory) == weights(anew.directory) != []
    assert outcome(forked)["metrics"] == outcome(anew)["metrics"]


def weights(directory: Path) -> list[str]:
    return sorted(str(file.relative_to(directory)) for file in directory.rglob("*.safetensors"))


@TWO
def test_a_forked_trial_may_have_several_processes(warm: Pool, tmp_path: Path) -> None:
    job = trial(tmp_path, "hardware=ddp_cpu", "hardware.devices=2", "trainer.max_epochs=1")
    run(warm, job)
    assert outcome(job)["summary"]["placement"].startswith("cpu x 2")


def test_a_trial_outlives_its_parent_and_another_parent_is_found(warm: Pool, tmp_path: Path) -> None:
    job, parent = trial(tmp_path, "hardware=cpu", "trainer.max_epochs=30"), parent_of(warm)
    placed = place(warm, job)
    begun(job, placed)
    os.kill(parent, signal.SIGKILL)
    wait(lambda: process_created(parent) is None or None)
    assert wait(lambda: warm.poll(placed), 120) == Ended(0)
    assert outcome(job)["status"] == "done"
    run(warm, trial(tmp_path, "hardware=cpu", "trainer.max_epochs=1"))  # anew; the next one is forked again
    assert parent_of(warm) != parent
    run(warm, trial(tmp_path, "hardware=cpu", "trainer.max_epochs=1"))


def test_a_trial_ends_in_order_and_goes_on(warm: Pool, tmp_path: Path) -> None:
    words = ("hardware=cpu", "trainer.max_epochs=30")
    stopped, whole = trial(tmp_path, *words), trial(tmp_path, *words)
    placed = place(warm, stopped)
    begun(stopped, placed)
    warm.cancel(placed, now=False)
    assert wait(lambda: warm.poll(placed), 60) == Ended(143)
    assert outcome(stopped)["status"] == "interrupted"
    run(warm, Job(stopped.directory, resume=True, hardware=stopped.hardware, environment={}))
    run(warm, whole)
    assert outcome(stopped)["metrics"] == outcome(whole)["metrics"]


PROGRAM = """
import json, sys, time
from pathlib import Path
from espalier.core.launching import Job
from espalier.launcher.pool import Pool
job = Job(Path(sys.argv[1]), False, {}, {})
with Pool(trials=1, gpus_per_trial=1, trials_per_gpu=1, threads_per_trial=1, warm=True) as launcher:
    while not launcher.fits(job): time.sleep(0.05)
    placed = launcher.submit(job)
    print(json.dumps([launcher._parent.pid, {"slot": placed.slot, "handle": dict(placed.handle)}]), flush=True)
    time.sleep(600)
"""


def test_a_trial_outlives_its_driver_and_is_taken_up(tmp_path: Path) -> None:
    job = trial(tmp_path, "hardware=cpu", "trainer.max_epochs=60")
    driver = subprocess.Popen([sys.executable, "-c", PROGRAM, job.directory], stdout=subprocess.PIPE, text=True)
    assert driver.stdout
    parent, told = json.loads(driver.stdout.readline())
    placed = Placed(**told)
    try:
        begun(job, placed)
    finally:
        driver.kill()
        driver.wait()
        driver.stdout.close()
    with pool(warm=False) as launcher:
        assert launcher.reattach(placed, job)
        assert launcher.poll(placed) is None
        assert wait(lambda: launcher.poll(placed), 120) == Ended(0)
    assert outcome(job)["status"] == "done"
    wait(lambda: process_created(parent) is None or None, 30)  # it has ended with its last trial


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process holds")
def test_forty_runs_of_which_some_are_killed_leave_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form of  scripts/bench faults --only faults_soak ."""
    monkeypatch.syspath_prepend(root / "scripts")
    soak = importlib.import_module("benches.soak")
    settings = importlib.import_module("benches.records").Settings(quick=True)
    measured = soak.soak(settings)
    assert measured.holds, ", ".join(map(str, measured.ours))
