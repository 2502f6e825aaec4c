"""``launcher=ray``: what it says before anything runs. What it does on a cluster stands in tests/e2e."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from e2e.ray_trials import KEYS, launcher
from espalier.core.launching import Job, Placed
from espalier.core.machine import Machine
from espalier.launcher import ray as module
from espalier.launcher import ray_cluster

CPU = {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"}


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "probe", lambda: Machine(4, 1, False))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if find_spec("ray") is None:
        monkeypatch.setattr(module, "missing", lambda: None)


def test_the_options_defaults_are_those_of_the_tests(root: Path) -> None:
    from omegaconf import OmegaConf

    node = OmegaConf.to_container(OmegaConf.load(root / "conf/launcher/ray.yaml"))
    assert isinstance(node, dict)
    assert node.pop("_target_") == "espalier.launcher.ray.Ray"
    assert node == KEYS


def test_without_ray_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "missing", ray_cluster.missing)
    monkeypatch.setattr(ray_cluster.importlib.util, "find_spec", lambda _: None)
    (fault,) = launcher().faults([CPU])
    assert fault.remedy == "Install it:  pip install 'espalier[ray]'"


def test_this_machine_is_judged_before_anything_is_started() -> None:
    for keys, places in ({}, 4), ({"cpus_per_trial": 2}, 2), ({"max_concurrent": 3}, 3):
        ray = launcher(**keys)
        assert ray.faults([CPU]) == []
        assert ray.slots() == [f"ray:{number}" for number in range(places)]


def test_trials_run_on_this_machine_or_on_one_that_is_not_known_yet() -> None:
    assert launcher().machine() == Machine(4, 1, False)
    assert launcher(address="auto").machine() is None


def test_a_trial_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    (fault,) = launcher(cpus_per_trial=8).faults([CPU, CPU])
    assert "takes a node with 8 CPU for a trial, and this machine has 1: 4 CPU, 1 GPU." in fault.truth
    (fault,) = launcher(nodes_per_trial=2).faults([CPU])
    assert "2 nodes with 1 CPU each" in fault.truth
    (fault,) = launcher(resources={"tpu": 1}).faults([CPU])
    assert "1 tpu" in fault.truth


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there(address: str) -> None:
    (fault,) = launcher(address=address).faults([CPU])
    assert fault.what == f"launcher.address={address}"
    assert fault.truth == "nobody answers there: Connection refused."


def test_what_an_earlier_driver_left_is_gone(tmp_path: Path) -> None:
    placed = Placed("ray:0", {"name": "000-ab", "address": None, "folder": str(tmp_path / "gone")})
    job = Job(tmp_path, False, CPU, {})
    assert not launcher().reattach(placed, job)
    assert not launcher(address="auto").reattach(placed, job)
    ended = launcher().poll(placed)
    assert ended
    assert ended.lost


def test_ray_is_not_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, espalier.launcher.ray, espalier.launcher.ray_worker, espalier.launcher.ray_head\n"
        "print([name for name in sys.modules if name == 'ray' or name.startswith('ray.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
