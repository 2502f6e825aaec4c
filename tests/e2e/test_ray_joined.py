"""``launcher=ray launcher.address=auto``: the cluster that this machine is in already."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from e2e.console import espalier
from e2e.ray_trials import SMALL, wait_until
from espalier.core.record import read_record

pytestmark = [
    pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("ray"),  # one cluster at a time: "auto" finds any
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'espalier[ray]'"),
]  # fmt: skip


@pytest.fixture
def joined(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A cluster that somebody has started on this machine, as its manual says."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # paths of its sockets have to be short
    for name, value in (("RAY_TMPDIR", folder), ("RAY_AUTH_MODE", "token"), ("RAY_AUTH_TOKEN", "e" * 64)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_worker_niceness", "0")  # by itself it gives way to every other test
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    words = "start --head --block --port=0 --num-cpus=2 --num-gpus=0 --include-dashboard=false --disable-usage-stats"
    command = [Path(sys.executable).with_name("ray"), *words.split(), f"--object-store-memory={80 * 2**20}"]
    with (Path(folder) / "log.txt").open("wb") as log:
        head = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until(lambda: "Ray runtime started" in (Path(folder) / "log.txt").read_text(errors="replace"), 400)
        yield head
    finally:
        head.terminate()  # and with it all that it has started
        head.wait(60)
        shutil.rmtree(folder)


def test_the_cluster_that_this_machine_is_in(joined: Any, tmp_path: Path) -> None:
    words = ["launcher=ray", "launcher.address=auto", *SMALL]
    large = espalier(tmp_path, "sweep", "plan", *words, "hardware=gpu", "hardware.devices=8", "seed=0,1")
    said = " ".join(large.stderr.split())
    assert large.returncode == 2, said
    assert "takes a node with 8 CPU, 8 GPU for a trial, and the cluster at auto has 1: 2 CPU, 0 GPU." in said, said
    done = espalier(tmp_path, "train", "-m", *words, "optimizer.lr=1e-3")
    assert done.returncode == 0, done.stdout + done.stderr
    (sweep,) = tmp_path.glob("outputs/*/sweep-*")
    assert [(trial.state, trial.slot) for trial in read_record(sweep)] == [("done", "ray:0")]
    assert joined.poll() is None  # it is not the sweep's to end
