"""Finished runs that several modules look at. Those have the group ``runs``: one worker makes each run, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.console import SMALL, espalier


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with one finished run, tracked offline."""
    folder = tmp_path_factory.mktemp("work")
    done = espalier(folder, "train", *SMALL)
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with two runs that Hydra's own sweeper and launcher made: all trained, and a probe."""
    folder = tmp_path_factory.mktemp("pair")
    stock = ["hydra/sweeper=basic", "hydra/launcher=basic"]
    words = [word for word in SMALL if not word.startswith("adapter")]
    done = espalier(folder, "train", "-m", *stock, *words, "adapter=full,probe", "name=pair", "tracking=none")
    assert done.returncode == 0, done.stderr
    return folder
