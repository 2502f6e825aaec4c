from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.launching import Job
from espalier.launcher import processes
from launcher.waiting import Jobs, Program


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -m espalier.run`` is ``stand_in``."""
    monkeypatch.setattr(processes, "MODULE", "stand_in")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


@pytest.fixture
def job(tmp_path: Path, stand_in: None) -> Jobs:
    """``job("exit 3")``: a trial that does so."""
    made = iter(range(100))

    def make(do: str, hardware: str = "cpu", **more: object) -> Job:
        directory = tmp_path / f"{next(made):03d}"
        directory.mkdir()
        (directory / "do").write_text(do)
        node = {"_target_": f"espalier.hardware.{hardware}.{hardware}", **more}
        return Job(directory, resume=False, hardware=node, environment={"MINE": "yes"})

    return make


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """``program("squeue", "exit 1")``: one of Slurm's programs, as it is on a bad day, before the real one."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def write(name: str, lines: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
        (folder / name).chmod(0o755)

    return write
