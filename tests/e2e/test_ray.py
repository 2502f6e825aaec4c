"""``launcher=ray`` on a real Ray: a cluster of two nodes on this machine, and one that is started for a sweep."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from e2e.console import espalier, started
from e2e.ray_trials import (
    LONG,
    SMALL,
    again,
    end_of,
    has_checkpoint,
    launcher,
    log,
    nodes,
    place_all,
    process,
    status,
    trial,
    wait_until,
    weights,
)  # fmt: skip
from espalier.core.launching import Ended, Job
from espalier.core.record import read_record

pytestmark = [
    pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("ray"),  # one cluster at a time: "auto" finds any
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'espalier[ray]'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head without a CPU; each test adds the nodes it needs."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="f" * 64, RAY_USAGE_STATS_ENABLED="0")
    os.environ.update(RAY_worker_niceness="0")  # by itself it gives way to every other test
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args=_node(0))
    yield made
    made.shutdown()


@pytest.fixture
def two_nodes(cluster: Any) -> Iterator[Any]:
    """Of one CPU each."""
    added = [cluster.add_node(**_node(1)) for _ in range(2)]
    yield cluster
    for node in added:
        if node in cluster.worker_nodes:
            cluster.remove_node(node)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return tmp_path / "sweep-2026-01-01_00-00-00-abcdef"


@pytest.fixture(scope="module")
def undisturbed(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A long trial that nothing happened to."""
    job = trial(tmp_path_factory.mktemp("undisturbed") / "sweep-0", 0, *LONG)
    node = cluster.add_node(**_node(1))
    with launcher(address=cluster.address) as ray:
        assert place_all(ray, [job]) == [Ended(0)]
    cluster.remove_node(node)
    return job


def test_a_trial_on_two_nodes(two_nodes: Any, sweep: Path) -> None:
    job = trial(sweep, 0, "hardware=ddp_cpu")
    with launcher(address=two_nodes.address, nodes_per_trial=2) as ray:
        assert ray.faults([job.hardware]) == []
        assert place_all(ray, [job]) == [Ended(0)]
        wait_until(lambda: ray.fits(job))  # both are free again
    assert status(job) == "done"
    assert "cpu x 2 fp32 (torchrun" in log(job)


def test_trials_whose_worker_is_killed_or_whose_node_is_lost_go_on(
    two_nodes: Any, sweep: Path, undisturbed: Job
) -> None:
    """A trial on each of two nodes; both go on on the node that is left."""
    jobs = [trial(sweep, 0, *LONG), trial(sweep, 1, *LONG, "seed=0")]
    with launcher(address=two_nodes.address) as ray:
        assert ray.faults([job.hardware for job in jobs]) == []
        assert ray.slots() == ["ray:0", "ray:1"]
        both = [(job, ray.submit(job)) for job in jobs]
        wait_until(lambda: any(has_checkpoint(job) for job in jobs))
        (ahead, one), (behind, other) = sorted(both, key=lambda pair: not has_checkpoint(pair[0]))
        first = process(ahead)
        psutil.Process(psutil.Process(first).ppid()).kill()
        wait_until(lambda: has_checkpoint(behind))
        (lost,) = (node for node in two_nodes.worker_nodes if _id(node) == nodes(behind)[0])
        two_nodes.remove_node(lost, allow_graceful=False)
        ends = [end_of(ray, placed) for placed in (one, other)]
        assert [ended.lost for ended in ends] == [True, True]
        assert "worker was lost" in ends[0].why and "node was lost" in ends[1].why
        assert place_all(ray, [again(job) for job in jobs]) == [Ended(0)] * 2
        assert not psutil.pid_exists(first)
    left, gone = nodes(ahead)[0], nodes(behind)[0]
    assert left != gone
    assert (nodes(ahead), nodes(behind)) == ([left, left], [gone, left])
    _equal(ahead, undisturbed)
    _equal(behind, undisturbed)


def test_ending_trials_that_run_and_that_wait(cluster: Any, sweep: Path) -> None:
    runs, waits = trial(sweep, 0, *LONG), trial(sweep, 1, *LONG)
    node = cluster.add_node(**_node(1))
    with launcher(address=cluster.address, max_concurrent=2) as ray:
        placed = [ray.submit(job) for job in (runs, waits) if ray.fits(job)]
        assert not ray.fits(runs)
        wait_until(lambda: has_checkpoint(runs))
        ray.cancel(placed[1], now=False)
        assert end_of(ray, placed[1]).code == 143
        ray.cancel(placed[0], now=False)
        assert end_of(ray, placed[0]).code == 143
        assert status(runs) == "interrupted"
        placed[0] = ray.submit(again(runs))
        wait_until(lambda: len(nodes(runs)) == 2)
        ray.cancel(placed[0], now=True)
        assert end_of(ray, placed[0]) == Ended(137, "killed by SIGKILL")
    assert nodes(waits) == []
    cluster.remove_node(node)


def test_a_trial_that_ray_ends_for_want_of_memory(cluster: Any, sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_memory_usage_threshold", "0.01")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    node = cluster.add_node(**_node(1))
    job = trial(sweep, 0, *LONG)
    with launcher(address=cluster.address) as ray:
        ended = end_of(ray, ray.submit(job))
    assert ended.out_of_memory
    assert not ended.lost
    assert "want of memory" in ended.why
    cluster.remove_node(node)


def test_trials_outlive_a_driver_that_is_killed_and_another_takes_them_up(tmp_path: Path) -> None:
    words = ["launcher=ray", *SMALL, *LONG, "hardware.threads=1", "optimizer.lr=1e-3,3e-3"]
    driver = started(tmp_path, "train", "-m", *words)
    try:
        wait_until(lambda: len(list(tmp_path.glob("outputs/*/sweep-*/trials/*/checkpoints"))) == 2)
    finally:
        driver.kill()
        driver.communicate()
    (sweep,) = tmp_path.glob("outputs/*/sweep-*")
    before = read_record(sweep)
    cluster = Path(before[0].handle["folder"])
    assert cluster.is_dir()
    resumed = espalier(tmp_path, "sweep", "resume", str(sweep))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    trials = read_record(sweep)
    assert [trial.state for trial in trials] == ["done", "done"]
    assert [trial.handle for trial in trials if trial.state == "done"] == [trial.handle for trial in before]
    assert {trial.attempts for trial in trials} == {1}
    logs = [(sweep / "trials" / f"{number:03d}" / "log.txt").read_text() for number in range(2)]
    assert [text.count(", full trains all") for text in logs] == [1, 1]
    wait_until(lambda: not cluster.exists(), seconds=60)


def _node(cpus: int) -> dict[str, Any]:
    return {"num_cpus": cpus, "num_gpus": 0, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def _id(node: Any) -> str:
    return str(node.node_id)[:8]


def _equal(job: Job, other: Job) -> None:
    assert (job.directory / "metrics.jsonl").read_bytes() == (other.directory / "metrics.jsonl").read_bytes()
    assert weights(job) == weights(other)
