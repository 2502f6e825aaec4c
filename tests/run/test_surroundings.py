from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lightning_fabric.plugins.environments import SLURMEnvironment

from espalier.run.surroundings import cluster, git_commit, versions


def test_versions_name_what_decides_about_numbers() -> None:
    found = versions()
    assert found["torch"].startswith("2.")
    assert {"espalier", "python", "platform", "machine", "pytorch-lightning", "transformers"} <= found.keys()


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """``git`` in a repository with one commit of a file ``a``, in ``tmp_path``."""

    def run(*words: str) -> str:
        told = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        return subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    run("init", "-q")
    (tmp_path / "a").write_text("1")
    run("add", "a")
    run("commit", "-qm", "one")
    return run


def test_commit_of_a_checkout_and_of_a_changed_one(git: Callable[..., str], tmp_path: Path) -> None:
    commit = git("rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == commit + "+"


@pytest.mark.parametrize("key", ["core.fsmonitor", "filter.own.clean", "filter.own.process"])
def test_programs_that_a_repository_names_do_not_run(git: Callable[..., str], tmp_path: Path, key: str) -> None:
    commit, canary = git("rev-parse", "HEAD"), tmp_path / "canary"
    git("config", key, f"touch '{canary}'; cat")
    (tmp_path / ".git" / "info" / "attributes").write_text("* filter=own\n")
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path).rstrip("+") == commit
    assert not canary.exists()
    git("status")  # as anybody else asks
    assert canary.exists()


def test_no_commit_outside_of_git(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch):
    def by(**variables: str) -> None:
        for name in ("TORCHELASTIC_RUN_ID", "RANK", "SLURM_STEP_ID", "SLURM_NTASKS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return by


def test_ranks_that_torchrun_or_srun_started_are_met(started) -> None:
    started(TORCHELASTIC_RUN_ID="x", RANK="0", WORLD_SIZE="2")
    assert type(cluster()).__name__ == "TorchElasticEnvironment"
    started(SLURM_STEP_ID="0", SLURM_PROCID="0", SLURM_STEP_NUM_TASKS="2")
    found = cluster()
    assert isinstance(found, SLURMEnvironment)
    assert not found.auto_requeue  # a signal of Slurm's is the run's to answer


def test_in_a_batch_script_without_srun_lightning_starts_its_own(started) -> None:
    started(SLURM_NTASKS="4", SLURM_JOB_ID="1", SLURM_PROCID="0")
    assert type(cluster()).__name__ == "LightningEnvironment"


def test_programs_that_a_submodule_names_do_not_run(git: Callable[..., str], tmp_path: Path) -> None:
    inner, canary = tmp_path / "inner", tmp_path / "canary"
    inner.mkdir()
    git("-C", str(inner), "init", "-q")
    (inner / "b").write_text("1")
    git("-C", str(inner), "add", "b")
    git("-C", str(inner), "commit", "-qm", "one")
    git("-c", "advice.addEmbeddedRepo=false", "add", "inner")
    (tmp_path / ".gitmodules").write_text('[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n')
    git("add", ".gitmodules")
    git("commit", "-qm", "two")
    git("-C", str(inner), "config", "core.fsmonitor", f"touch '{canary}'; false")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    assert not canary.exists()
    git("status")  # as anybody else asks
    assert canary.exists()
