from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from espalier.run.surroundings import git_commit, is_first_rank, versions


def test_versions_name_what_decides_about_numbers() -> None:
    found = versions()
    assert found["torch"].startswith("2.")
    assert {"espalier", "python", "platform", "machine", "pytorch-lightning", "transformers"} <= found.keys()


def test_commit_of_a_checkout_and_of_a_changed_one(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        told = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
        return subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD")
    assert git_commit(tmp_path) == commit
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == commit + "+"


def test_no_commit_outside_of_git(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == ""


@pytest.mark.parametrize(("rank", "first"), [("0", True), ("1", False)])
def test_first_rank_is_the_launcher(rank: str, first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert is_first_rank() is first


def test_a_process_that_is_alone_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert is_first_rank()
