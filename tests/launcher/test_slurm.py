"""What is refused before anything runs, on a machine without a cluster; the cluster itself is in e2e/test_slurm.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conf.defaults import CONF, defaults_of
from espalier.config.multirun import read_command
from espalier.core.errors import ConfigError
from espalier.core.launching import Ended, Job
from espalier.launcher.slurm import Slurm
from espalier.launcher.slurm_keys import Sbatch

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
    assert "launcher.nodes=0  must be >= 1." in said
    assert 'no setting "gpu".' in said


def test_missing_package_is_answered_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    (fault,) = slurm().faults([CPU])
    assert fault.remedy == "pip install 'espalier[slurm]'"


def test_a_machine_without_slurm_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (fault,) = slurm().faults([CPU])
    assert "there is no sbatch here" in fault.truth


def test_no_more_than_jobs_are_placed_and_one_that_waits_can_be_taken_back(tmp_path: Path) -> None:
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


def test_it_brings_no_library_before_something_is_submitted() -> None:
    program = "import sys, espalier.launcher.slurm; print({'submitit', 'numpy', 'torch'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
