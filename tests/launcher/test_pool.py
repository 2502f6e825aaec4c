from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conf.defaults import defaults_of
from espalier.core.launching import Ended, Job, Placed
from espalier.core.machine import probe
from espalier.launcher import pool as pool_module
from espalier.launcher.pool import Pool
from espalier.launcher.processes import Process
from launcher.waiting import Jobs, wait, wait_for


def pool(**settings: object) -> Pool:
    return Pool(**defaults_of("launcher/pool", **{"warm": False, "trials": 2} | settings))


def run(launcher: Pool, job: Job) -> Ended:
    placed = launcher.submit(job)
    return wait(lambda: launcher.poll(placed))


def test_a_trial_is_told_its_threads_and_its_variables(job: Jobs) -> None:
    made = job("exit 3")
    with pool(trials=1, threads_per_trial=1) as launcher:
        assert run(launcher, made) == Ended(3)
    told = json.loads((made.directory / "told.json").read_text())
    assert (told["OMP_NUM_THREADS"], told["MINE"], told["CUDA_VISIBLE_DEVICES"]) == ("1", "yes", None)
    assert (made.directory / "log.txt").read_text() == "begun exit\n"


def test_places_are_held_and_fall_free(job: Jobs) -> None:
    with pool() as launcher:
        assert launcher.slots() == ["cpu:0", "cpu:1"]
        first, second = (launcher.submit(job("sleep")) for _ in range(2))
        assert (first.slot, second.slot) == ("cpu:0", "cpu:1")
        third = job("exit 0")
        assert not launcher.fits(third)
        launcher.cancel(first, now=True)
        assert wait(lambda: launcher.poll(first)) == Ended(137, "killed by SIGKILL")
        assert launcher.fits(third) and not launcher.fits(job("exit 0", "ddp_cpu", devices=2))
        assert run(launcher, third) == Ended(0)
        launcher.cancel(second, now=False)
        assert wait(lambda: launcher.poll(second)) == Ended(143, "killed by SIGTERM")
        assert launcher.fits(job("exit 0", "ddp_cpu", devices=2))


@pytest.mark.parametrize(("words", "arguments"), [((False, "run"), []), ((True, "run"), ["--resume"])])
def test_a_trial_is_told_what_to_do(job: Jobs, words: tuple[bool, str], arguments: list[str]) -> None:
    made = job("exit 0")
    with pool() as launcher:
        run(launcher, Job(made.directory, words[0], made.hardware, {}, words[1]))
    assert json.loads((made.directory / "told.json").read_text())["words"] == arguments


def test_what_cannot_be_placed_is_said_before(job: Jobs) -> None:
    cores = probe().cpus
    hardware = [dict(job("exit 0", threads=cores + 1).hardware), dict(job("exit 0").hardware)] * 2
    faults = pool(trials=2, threads_per_trial=cores).faults(hardware)
    assert [fault.what for fault in faults] == [f"hardware.threads={cores + 1}", f"launcher.threads_per_trial={cores}"]
    assert pool().faults([dict(job("exit 0").hardware)]) == []


def test_by_itself_it_takes_no_more_threads_than_there_are() -> None:
    launcher = pool(trials="auto")
    assert 1 <= len(launcher.slots()) <= probe().cpus
    assert launcher.faults([]) == []


def test_a_process_that_cannot_be_started_is_a_trial_that_is_lost(job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    made, gone = job("exit 0"), job("exit 0")
    shutil.rmtree(gone.directory)
    with pool(trials=1) as launcher:
        ended = run(launcher, gone)
        assert (ended.code, ended.lost) == (1, True)
        assert "could not be started: " in ended.why and "No such file" in ended.why
        assert run(launcher, made) == Ended(0)  # its place is free again
        monkeypatch.setattr(sys, "executable", "/no/such/python")
        assert run(launcher, made).lost
        monkeypatch.undo()
        assert launcher.fits(made)


def test_two_trials_may_have_the_same_number_one_after_the_other(job: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may give a number again before the first one's end was seen."""
    codes = iter([5, 6])
    numbered = [Process(4321, float(born), lambda code=code: code) for born, code in enumerate(codes, 1)]
    monkeypatch.setattr(pool_module, "cold", lambda *_: numbered.pop(0))
    with pool() as launcher:
        first, second = (launcher.submit(job("exit 0")) for _ in range(2))
        assert (launcher.poll(first), launcher.poll(second)) == (Ended(5), Ended(6))
        assert launcher.fits(job("exit 0", "ddp_cpu", devices=2))


PROGRAM = """
import json, sys
from pathlib import Path
from espalier.core.launching import Job
from espalier.launcher import processes
from espalier.launcher.pool import Pool
processes.MODULE = "stand_in"
launcher = Pool(trials=2, gpus_per_trial=1, trials_per_gpu=1, threads_per_trial=1, warm=False)
placed = launcher.submit(Job(Path(sys.argv[1]), False, {}, {}))
print(json.dumps({"slot": placed.slot, "handle": dict(placed.handle)}), flush=True)
import os, signal; os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_trial_of_a_driver_that_was_killed_is_taken_up(job: Jobs) -> None:
    made, other = job("polite"), job("exit 0")
    said = subprocess.run([sys.executable, "-c", PROGRAM, made.directory], stdout=subprocess.PIPE, text=True).stdout
    placed = Placed(**json.loads(said))
    wait_for(made.directory / "ready")
    with pool() as launcher:
        assert launcher.reattach(placed, made) and launcher.poll(placed) is None
        assert launcher.submit(other).slot == "cpu:1"
        launcher.cancel(placed, now=False)
        ended = wait(lambda: launcher.poll(placed))
        assert ended == Ended(137, "killed by SIGKILL")  # nobody was there to be told the code, and it left no outcome
        assert not launcher.reattach(placed, made)
        elsewhere = Placed(placed.slot, {**placed.handle, "host": "elsewhere"})
        assert not launcher.reattach(elsewhere, made)


def test_a_parent_that_cannot_import_is_done_without(
    job: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "path"
    broken.mkdir()
    (broken / "torch.py").write_text("raise ImportError('this torch is broken')")
    made = job("exit 7")
    monkeypatch.setenv("PYTHONPATH", f"{broken}:{Path(__file__).parent}")
    with pool(warm=True) as launcher:
        wait(lambda: launcher.fits(made) or None)
        assert run(launcher, made) == Ended(7)
    assert "has ended: ImportError: this torch is broken" in capfd.readouterr().err


def test_no_trial_is_placed_while_the_parent_imports(job: Jobs) -> None:
    with pool(warm=True) as launcher:
        assert not launcher.fits(job("exit 0"))
