"""``launcher=slurm`` on a real Slurm of two nodes, which ``scripts/local_slurm`` brings up."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.console import ESPALIER, espalier, run_directories, started
from e2e.ray_trials import LONG, SMALL, end_of, has_checkpoint, log, place_all, status, trial, wait_until, weights
from e2e.slurm_nodes import bring_back, cluster, job_id, launcher, lose, nodes, said
from espalier.core.launching import Ended, Job, Placed
from espalier.core.machine import Machine
from espalier.core.outcome import Outcome
from espalier.core.record import TrialRecord, read_record
from espalier.core.rundir import read_outcome
from espalier.launcher.slurm import Slurm
from espalier.launcher.slurm_notes import Notes

LIMIT = 400.0  # seconds, of a machine that has other things to do

pytestmark = [
    pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("slurm"),  # its ports are the machine's
    pytest.mark.skipif(
        shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin") is None,
        reason="Slurm is not installed: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge",
    ),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("slurm") / "local"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
        cluster("up", folder)
        yield
        cluster("down", folder)


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """With blanks, signs and another script's letters in its path."""
    return tmp_path / "my 'rüns' & 50% 中" / "digits" / "sweep-2026-01-01_00-00-00-abcdef"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A long trial that nothing happened to."""
    job = trial(tmp_path_factory.mktemp("undisturbed") / "sweep-0", 0, *LONG)
    with launcher() as slurm:
        assert place_all(slurm, [job], LIMIT) == [Ended(0)]
    return job


def test_a_trial_on_two_nodes_is_one_run(sweep: Path) -> None:
    job, alone = trial(sweep, 0, "hardware=ddp_cpu"), trial(sweep, 1, "hardware=ddp_cpu", "seed=0")
    with launcher(nodes=2) as slurm:
        assert slurm.faults([job.hardware]) == []
        placed = slurm.submit(job)
        assert end_of(slurm, placed, LIMIT) == Ended(0)
    with launcher() as slurm:
        assert end_of(slurm, slurm.submit(alone), LIMIT) == Ended(0)
    assert "cpu x 2 fp32 (srun" in outcome(job).summary["placement"]
    assert "cpu x 2 fp32 (as set" in outcome(alone).summary["placement"]
    assert metrics(job) == metrics(alone)
    assert sorted(path.name for path in (sweep / "trials").iterdir()) == ["000", "001"]


def test_trials_that_are_queued_again_or_out_of_time_go_on_to_the_same_end(sweep: Path, undisturbed: Job) -> None:
    again, late = trial(sweep, 0, *LONG), trial(sweep, 1, *LONG, "seed=0")
    with launcher() as slurm:
        placed = [slurm.submit(job) for job in (again, late)]
        wait_until(lambda: slurm.poll(placed[0]) is None and has_metrics(again) and has_metrics(late), LIMIT)
        said("scontrol", "requeue", job_id(placed[0]))
        said("scancel", "--signal=USR2", job_id(placed[1]))  # as Slurm does before the limit
        assert [end_of(slurm, place, LIMIT) for place in placed] == [Ended(0)] * 2
    assert [len(nodes(job)) for job in (again, late)] == [2, 2]
    assert same(again, undisturbed)
    assert same(late, undisturbed)


def test_scripts_of_ones_own_go_on_by_themselves_when_their_jobs_are_queued_again(
    tmp_path: Path, undisturbed: Job
) -> None:
    """With ``srun`` and without, each on a node and in a folder of its own."""
    running = {tmp_path / "plain": sent(tmp_path / "plain"), tmp_path / "srun": sent(tmp_path / "srun", "srun")}
    folders = list(running)
    while running:
        wait_until(lambda: any(map(trains, running)), LIMIT)
        said("scontrol", "requeue", running.pop(next(filter(trains, running))))
    wait_until(lambda: all(read_outcome(run).status == "done" for f in folders for run in run_directories(f)), LIMIT)
    for folder in folders:
        (run,) = run_directories(folder)
        assert "this job was queued again: outputs/" in (folder / "log").read_text()
        assert same(Job(run, False, undisturbed.hardware, {}), undisturbed)


def test_a_trial_that_is_driven_out_goes_on_to_the_same_end(sweep: Path, undisturbed: Job) -> None:
    job = trial(sweep, 0, *LONG)
    with launcher() as slurm:
        placed = begun(slurm, job)
        said("sbatch", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 2")
        assert end_of(slurm, placed, LIMIT) == Ended(0)
    assert len(nodes(job)) == 2
    assert same(job, undisturbed)


def test_a_node_is_set_down_and_its_trial_goes_on_on_the_other(sweep: Path, undisturbed: Job) -> None:
    job = trial(sweep, 0, *LONG)
    with launcher() as slurm:
        placed = begun(slurm, job)
        (lost,) = nodes(job)
        lose(lost)
        try:
            assert end_of(slurm, placed, LIMIT) == Ended(0)
        finally:
            bring_back(lost)
    assert nodes(job) == [lost, "n2" if lost == "n1" else "n1"]
    assert same(job, undisturbed)


def test_a_driver_that_is_killed_is_followed_by_another(sweep: Path) -> None:
    """As soon as the jobs are handed over, before it writes down which they are: each trial runs once all the same."""
    jobs = [trial(sweep, number) for number in range(2)]
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from e2e.slurm_nodes import launcher\n"
        "from espalier.core.launching import Job\n"
        "from espalier.launcher import slurm_batches\n"
        "slurm = launcher()\n"
        "hardware = {'_target_': 'espalier.hardware.cpu.cpu', 'devices': 1, 'threads': 'auto'}\n"
        "placed = [slurm.submit(Job(Path(folder), False, hardware, {})) for folder in sys.argv[1:]]\n"
        "print(*[place.handle['place'] for place in placed], flush=True)\n"
        "slurm_batches.Notes.write_job_id = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "while True: slurm.poll(placed[0])\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", program, *(str(job.directory) for job in jobs)]
    killed = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    places = killed.stdout.split()
    placed = [Placed(f"slurm:{n}", {"folder": str(sweep / "slurm"), "place": name}) for n, name in enumerate(places)]
    with launcher() as slurm:
        assert [slurm.reattach(place, job) for place, job in zip(placed, jobs, strict=True)] == [True] * 2
        assert [end_of(slurm, place, LIMIT) for place in placed] == [Ended(0)] * 2
        assert not slurm.reattach(placed[0], jobs[0])
    assert [len(nodes(job)) for job in jobs] == [1, 1]


def test_a_sweep_over_both_nodes_goes_on_after_its_driver_was_killed(tmp_path: Path) -> None:
    rates = "optimizer.lr=0.001,0.003,0.01,0.03"
    driver = started(tmp_path, "train", "-m", *SMALL, rates, "launcher=slurm", "launcher.cpus_per_task=2")
    wait_until(lambda: any(row.state == "done" for row in recorded(tmp_path)), LIMIT)
    driver.kill()
    driver.wait()
    before = recorded(tmp_path)
    assert [row.attempts for row in before] == [1] * 4  # all are handed over at once
    done = espalier(tmp_path, "sweep", "resume")
    assert done.returncode == 0, done.stdout + done.stderr
    after = recorded(tmp_path)
    assert [(row.state, row.attempts, row.handle) for row in after] == [("done", 1, row.handle) for row in before]
    (sweep,) = tmp_path.glob("outputs/*/sweep-*")
    assert (sweep / "best").exists()
    jobs = [Job(sweep / "trials" / f"{row.trial:03d}", False, {}, {}) for row in after]
    assert [log(job).count("validation accuracy") for job in jobs] == [1] * 4
    assert {nodes(job)[0] for job in jobs} == {"n1", "n2"}
    assert len({Notes.of(row.handle or {}).job_id.partition("_")[0] for row in after}) == 1  # one array


def test_a_trial_is_cancelled_with_a_checkpoint_or_at_once(sweep: Path) -> None:
    gently, now, waiting = (trial(sweep, number, *LONG) for number in range(3))
    with launcher() as slurm:
        placed = [slurm.submit(job) for job in (gently, now, waiting)]
        wait_until(lambda: slurm.poll(placed[0]) is None and has_metrics(gently) and has_metrics(now), LIMIT)
        slurm.cancel(placed[2], now=False)
        slurm.cancel(placed[0], now=False)
        slurm.cancel(placed[1], now=True)
        ends = [end_of(slurm, place, LIMIT) for place in placed]
    assert [ended.code for ended in ends] == [143, 137, 143]
    assert not any(ended.lost for ended in ends)
    assert (status(gently), status(waiting)) == ("interrupted", "running")
    assert has_checkpoint(gently)
    wait_until(lambda: said("squeue", "--noheader") == "")


def test_what_the_cluster_would_refuse_is_said_before_anything_runs(sweep: Path) -> None:
    hardware = [trial(sweep, 0).hardware]
    (partition,) = launcher(partition="debgu").faults(hardware)
    assert partition.remedy == "Did you mean  launcher.partition=debug ?"
    (nodes_,) = launcher(nodes=3).faults([{**hardware[0], "_target_": "espalier.hardware.ddp_cpu.ddp_cpu"}])
    assert "sbatch would refuse it" in nodes_.truth
    assert launcher().machine() == Machine(2, 0, False, nodes=2, cluster="partition debug")
    (time,) = launcher(time="soon").faults(hardware)
    assert time.what == "launcher.time=soon"


def sent(folder: Path, *step: str) -> str:
    """The job of a script of one's own, which trains in a new folder."""
    folder.mkdir()
    words = shlex.join([*step, ESPALIER, "train", *SMALL, *LONG, "seed=0"])
    options = [f"--chdir={folder}", f"--output={folder}/log", "--open-mode=append", "--nodes=1", "--cpus-per-task=2"]
    return said("sbatch", "--requeue", "--parsable", *options, "--wrap", words)


def trains(folder: Path) -> bool:
    """Whether a run below it is in the midst of its training."""
    return any(file.stat().st_size > 500 for file in folder.glob("outputs/*/*/metrics.jsonl"))


def begun(slurm: Slurm, job: Job) -> Placed:
    """Placed, and in the midst of its training."""
    placed = slurm.submit(job)
    wait_until(lambda: slurm.poll(placed) is None and has_metrics(job), LIMIT)
    return placed


def recorded(folder: Path) -> list[TrialRecord]:
    """The record of the only sweep."""
    return [row for sweep in folder.glob("outputs/*/sweep-*") for row in read_record(sweep)]


def has_metrics(job: Job) -> bool:
    file = job.directory / "metrics.jsonl"
    return file.exists() and file.stat().st_size > 500


def metrics(job: Job) -> bytes:
    return (job.directory / "metrics.jsonl").read_bytes()


def outcome(job: Job) -> Outcome:
    return read_outcome(job.directory)


def same(one: Job, other: Job) -> bool:
    """Bit for bit."""
    return (weights(one), metrics(one)) == (weights(other), metrics(other))
