"""W&B's own files, whole and cut off: real ones, that wandb wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from espalier.tracking.wandb_log import told_in
from tracking.wandb_runs import train

STEPS = 1500  # so many that the file has several blocks


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("outputs") / "2026-11-30_14-02-11-3fa9c1"
    directory.mkdir()
    train(directory, 1, STEPS)
    (found,) = directory.glob("wandb/offline-run-*/*.wandb")
    assert found.stat().st_size > 2 * 32768
    return found


def test_of_a_whole_file_every_row_is_told(file: Path) -> None:
    assert told_in(file.read_bytes()) == (STEPS, True)


@pytest.mark.parametrize("size", [0, 7, 20, 32768, 32771, 40000])
def test_of_a_file_that_was_cut_off_the_rows_before(file: Path, size: int) -> None:
    rows, ended = told_in(file.read_bytes()[:size])
    assert rows < STEPS and not ended
    if size > 30000:
        assert rows > 50


def test_what_stands_behind_a_hole_is_not_counted(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[20000:52000] = bytes(32000)
    rows, ended = told_in(bytes(content))
    assert 50 < rows < STEPS and not ended
