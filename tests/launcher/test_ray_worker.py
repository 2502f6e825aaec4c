"""What runs on a cluster's machines; real processes, no Ray."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from espalier.core.launching import Ended, Job
from espalier.launcher.ray_worker import Order, Worker

JOB = Job(Path("/s/trials/000"), False, {}, {"WANDB_MODE": "offline"})


def order(job: Job, node: int = 0, nodes: int = 1, processes: int = 1) -> Order:
    return Order(job, "sweep-000-ab", "/", 2, node, nodes, processes)


def test_one_machine_leaves_siblings_to_lightning() -> None:
    (environment,) = order(JOB, processes=2).environments(("10.0.0.1", 1234))
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["WANDB_MODE"] == "offline"
    assert environment["PYTHONSAFEPATH"] == "1"
    assert "WORLD_SIZE" not in environment


def test_ranks_over_machines_are_torchruns() -> None:
    first, second = order(JOB, node=1, nodes=2, processes=2).environments(("10.0.0.1", 1234))
    assert (first["RANK"], first["LOCAL_RANK"], second["RANK"], second["LOCAL_RANK"]) == ("2", "0", "3", "1")
    for environment in (first, second):
        assert environment["WORLD_SIZE"] == "4"
        assert environment["LOCAL_WORLD_SIZE"] == "2"
        assert environment["MASTER_ADDR"] == "10.0.0.1"
        assert environment["MASTER_PORT"] == "1234"
        assert environment["TORCHELASTIC_RUN_ID"] == "sweep-000-ab"


def test_a_folder_that_this_machine_does_not_see_is_said(tmp_path: Path) -> None:
    ended = Worker(None)._work(order(Job(tmp_path / "gone", False, {}, {})), ("n1", 1))
    assert ended.code == 1
    assert f"n1 does not see {tmp_path / 'gone'}" in ended.why


def test_one_that_is_cancelled_before_it_begins_does_not(tmp_path: Path) -> None:
    worker = Worker(None)
    asyncio.run(worker.signal(signal.SIGTERM, whole=False))
    assert worker._work(order(Job(tmp_path, False, {}, {})), ("n1", 1)) == Ended(143, "ended before it began")
    assert not (tmp_path / "log.txt").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lets a process die with its parent")
def test_a_process_dies_with_its_actor(tmp_path: Path) -> None:
    """The actor's part is played by a process that is killed; the trial's by one that would sleep."""
    actor = textwrap.dedent(f"""
        import os, subprocess, sys
        program = "import os, time; from espalier.launcher import ray_worker; os.execv = lambda *_: time.sleep(60); "
        program += "print(os.getpid(), flush=True); "
        program += f"ray_worker._become_trial({{os.getpid()}}, [])"
        subprocess.Popen([sys.executable, "-c", program], stdout=open({str(tmp_path / "pid")!r}, "w")).wait()
    """)
    with subprocess.Popen([sys.executable, "-c", actor]) as parent:
        until = time.monotonic() + 30
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            assert time.monotonic() < until
            time.sleep(0.02)
        child = psutil.Process(int((tmp_path / "pid").read_text()))
        time.sleep(0.5)
        assert child.is_running()
        os.kill(parent.pid, signal.SIGKILL)
        child.wait(5)
