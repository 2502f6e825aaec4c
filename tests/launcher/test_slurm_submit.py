"""What ``sbatch`` is given; a program in its place writes it down."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from espalier.core.launching import Job
from espalier.launcher.slurm_notes import Notes
from espalier.launcher.slurm_order import order_of
from espalier.launcher.slurm_submit import How, submit
from espalier.launcher.slurm_task import Task
from launcher.waiting import Program

pytest.importorskip("submitit")

CPU = {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"}


@pytest.fixture
def handed(tmp_path: Path, program: Program) -> Path:
    """A folder in which the script and the variables lie that sbatch was given."""
    program("sbatch", f'env > {tmp_path}/env; cat "$1" > {tmp_path}/script; echo "Submitted batch job 17"')
    program("srun", "exit 1")
    return tmp_path


def hand(sweep: Path, **sbatch: object) -> list[str]:
    directory = sweep / "trials" / "000"
    directory.mkdir(parents=True)
    job, order = Job(directory, False, CPU, {}), order_of(CPU, sbatch)
    notes = Notes.begin(job)
    return submit(order, [Task(job, notes, 90)], "espalier-ab", 10, How(["module load 'x y'"], 90, 20, 4))


def variables(handed: Path) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in (handed / "env").read_text().splitlines())


def test_a_users_defaults_for_sbatch_hold_where_the_launcher_says_nothing(
    handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In sbatch they go before what its script says."""
    for name, value in {
        "SBATCH_PARTITION": "theirs", "SBATCH_MEM_PER_NODE": "1G", "SBATCH_ACCOUNT": "lab", "SBATCH_QOS": "low",
        "SBATCH_TIMELIMIT": "1", "SBATCH_EXPORT": "NONE", "SBATCH_OUTPUT": "x", "SBATCH_NO_REQUEUE": "1",
        "SLURM_JOB_ID": "3",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert hand(handed / "sweep", partition="gpu", mem="8G") == ["17"]
    told = variables(handed)
    assert {name: told[name] for name in told if name.startswith(("SBATCH_", "SLURM_"))} == {
        "SBATCH_ACCOUNT": "lab",
        "SBATCH_QOS": "low",
    }
    script = (handed / "script").read_text()
    assert "#SBATCH --partition=gpu" in script and "#SBATCH --mem=8G" in script


def test_paths_of_any_kind_stand_in_the_script_as_one_word(handed: Path) -> None:
    sweep = handed / "my 'rüns' & $HOME 中"
    hand(sweep, comment="it's mine; rm -rf")
    script = (handed / "script").read_text()
    assert "\nmodule load 'x y'\n" in script
    command = next(line for line in script.splitlines() if line.startswith("srun "))
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    assert str(sweep / "slurm") in done.stdout.splitlines()
    assert sys.executable in done.stdout.splitlines()
