"""What is refused before anything runs, on a machine without a cluster; the cluster itself is in e2e/test_slurm.py."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from conf.defaults import CONF, defaults_of
from espalier.config.multirun import read_command
from espalier.core.errors import ConfigError, UserError
from espalier.core.launching import Ended, Job, Placed
from espalier.core.machine import Machine
from espalier.launcher import slurm as slurm_module
from espalier.launcher import slurm_queue
from espalier.launcher.slurm import Slurm
from espalier.launcher.slurm_keys import Sbatch
from espalier.launcher.slurm_notes import Notes
from espalier.sweep.ready import prepare
from launcher.waiting import Program, wait

CPU = {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"}
EXPERIMENT = ("data=digits", "model=mlp", "adapter=full", "seed=0,1")


def slurm(**others: object) -> Slurm:
    """With the defaults of its file."""
    sbatch = yaml.safe_load((CONF / "launcher" / "_sbatch.yaml").read_text())
    return Slurm(**{**sbatch, **defaults_of("launcher/slurm"), **others})


def test_file_and_signature_name_the_same_parameters() -> None:
    assert yaml.safe_load((CONF / "launcher" / "_sbatch.yaml").read_text()).keys() == Sbatch.__annotations__.keys()


def test_any_parameter_of_sbatch_is_taken_by_its_name_in_both_spellings() -> None:
    ours = read_command([*EXPERIMENT, "launcher=slurm", "launcher.partition=debug", "launcher.cpus_per_gpu=4"])
    hydras = read_command([*EXPERIMENT, "hydra/launcher=slurm", "hydra.launcher.partition=debug"])
    assert ours.settings.values["launcher"]["cpus_per_gpu"] == 4
    assert hydras.settings.values["launcher"]["partition"] == "debug"


def test_unknown_parameters_and_wrong_values_are_refused_together_with_the_right_words() -> None:
    with pytest.raises(ConfigError) as refused:
        read_command([*EXPERIMENT, "launcher=slurm", "launcher.partitoin=x", "launcher.nodes=0", "launcher.gpu=3"])
    said = str(refused.value)
    assert "Did you mean  launcher.partition ?" in said
    assert "launcher.nodes=0  must be >= 1, or null. Write  launcher.nodes=null  for: the trial's hardware." in said
    assert 'no setting "gpu".' in said


def test_missing_package_is_answered_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    (fault,) = slurm().faults([CPU])
    assert fault.remedy == "pip install 'espalier[slurm]'"


def test_a_machine_without_slurm_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (fault,) = slurm().faults([CPU])
    assert "there is no sbatch here" in fault.truth


def test_no_more_than_jobs_are_placed_and_one_that_waits_can_be_taken_back(tmp_path: Path, program: Program) -> None:
    program("squeue", "true")
    launcher = slurm(jobs=2)
    jobs = [Job(tmp_path / "trials" / f"{number:03d}", False, CPU, {}) for number in range(3)]
    for job in jobs:
        job.directory.mkdir(parents=True)
    placed = [launcher.submit(job) for job in jobs[:2]]
    assert launcher.slots() == [place.slot for place in placed] == ["slurm:0", "slurm:1"]
    assert not launcher.fits(jobs[2])
    launcher.cancel(placed[0], now=False)
    assert launcher.poll(placed[0]) == Ended(143, "cancelled before it was handed over")
    assert launcher.fits(jobs[2])
    assert launcher.submit(jobs[2]).slot == "slurm:0"


def test_a_cluster_that_does_not_answer_has_lost_no_trial(tmp_path: Path, program: Program) -> None:
    """One of an earlier driver may be running: it must not be placed a second time."""
    directory = tmp_path / "trials" / "000"
    directory.mkdir(parents=True)
    job = Job(directory, False, CPU, {})
    notes = Notes.begin(job)
    notes.write_job_id("17")
    program("squeue", "exit 1")
    with pytest.raises(UserError, match="squeue does not answer"):
        slurm().reattach(Placed("slurm:0", notes.handle), job)
    program("squeue", "echo '17|RUNNING|None|mine|n1'")
    assert slurm().reattach(Placed("slurm:0", notes.handle), job)
    program("squeue", "echo '18|RUNNING|None|mine|n1'")
    assert not slurm().reattach(Placed("slurm:0", notes.handle), job)


def test_a_job_that_is_queued_again_is_not_over_the_next_time_sooner(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each end is given the time that its last word takes through a shared file system."""
    directory = tmp_path / "trials" / "000"
    directory.mkdir(parents=True)
    job = Job(directory, False, CPU, {})
    notes = Notes.begin(job)
    notes.write_job_id("17")
    monkeypatch.setattr(slurm_module, "_SETTLED", 3.0)
    monkeypatch.setattr(slurm_queue, "_EVERY", 0.05)
    program("squeue", "echo '17|RUNNING|None|mine|n1'")
    launcher, placed = slurm(), Placed("slurm:0", notes.handle)
    assert launcher.reattach(placed, job)
    for state, seconds in (("FAILED", 1.0), ("RUNNING", 2.5), ("FAILED", 1.0)):
        program("squeue", f"echo '17|{state}|None|mine|n1'")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert launcher.poll(placed) is None
            time.sleep(0.02)
    notes.write_ended(Ended(3))
    assert wait(lambda: launcher.poll(placed)) == Ended(3)


def test_of_a_cluster_the_largest_node_is_told_and_asked_for_once(tmp_path: Path, program: Program) -> None:
    program("sinfo", f"echo x >> {tmp_path}/asked; echo 'debug*|2|2|gpu:a100:4'")
    launcher = slurm()
    assert launcher.machine() == launcher.machine() == Machine(2, 4, False, nodes=2, cluster="partition debug")
    assert (tmp_path / "asked").read_text() == "x\n"


def test_a_plan_says_that_no_node_has_so_many_gpus(program: Program) -> None:
    program("sinfo", "echo 'debug*|2|64|gpu:a100:4'")
    with pytest.raises(ConfigError) as refused:
        prepare(read_command([*EXPERIMENT, "launcher=slurm", "hardware=gpu", "hardware.devices=8"]))
    (fault,) = refused.value.faults
    assert fault.what == "hardware.devices=8"
    assert fault.truth == "the largest of the 2 nodes of partition debug has 64 CPU cores and 4 GPUs."


def test_it_brings_no_library_before_something_is_submitted() -> None:
    program = "import sys, espalier.launcher.slurm; print({'submitit', 'numpy', 'torch'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize(("minutes", "grace", "right"), [(1, 90, False), (2, 90, False), (3, 90, True), (2, 10, True)])
def test_a_time_that_is_over_as_it_begins_is_refused(program: Program, minutes: int, grace: int, right: bool) -> None:
    program("sinfo", "echo 'debug*|2|64|gpu:a100:4'")
    faults = [fault.what for fault in slurm(time=minutes, grace=grace)._wrong_time()]
    assert faults == ([] if right else [f"launcher.time={minutes}"])
