"""Commands, in this process or through the console script, from an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.core.rundir import create

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("ESPALIER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    return place


@pytest.fixture
def script() -> Command:
    """``script("train", …)``: the console script, as a person runs it."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("espalier")), *words]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120)

    return run


@pytest.fixture
def made_run(here: Path) -> Callable[..., Path]:
    """``made_run("done", …)``: a run directory that says this of itself."""

    def make(status: str, **outcome: Any) -> Path:
        directory = create(here / "outputs", "mine")
        write(compose(["model=lstm", "adapter=full"]), directory)
        record = {
            "status": status,
            "name": "mine",
            "seed": 0,
            "started": "2026-11-30T14:02:11+00:00",
            "pid": 1,
            "host": "elsewhere",
        }
        (directory / "outcome.json").write_text(json.dumps({**record, **outcome}))
        return directory

    return make
