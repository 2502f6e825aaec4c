from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from espalier.core.errors import UserError
from espalier.core.rendezvous import announce, close, learn
from espalier.core.world import World

FIRST, SECOND = (World("srun", "slurm-1-0", 2, 2, rank) for rank in (0, 1))


def test_the_second_rank_learns_of_the_first_ones_directory(tmp_path: Path) -> None:
    threading.Timer(0.1, announce, (tmp_path, FIRST, tmp_path / "a run", "new")).start()
    assert learn(tmp_path, SECOND, seconds=5) == (tmp_path / "a run", "new")
    close(tmp_path, FIRST)
    assert list(tmp_path.iterdir()) == []


def test_another_launch_is_not_heard(tmp_path: Path) -> None:
    announce(tmp_path, World("srun", "slurm-1-1", 2, 2, 0), tmp_path / "other", "new")
    with pytest.raises(UserError, match=r"rank 1 looked.*all machines share"):
        learn(tmp_path, SECOND, seconds=0.1)


def test_what_a_launch_left_long_ago_is_passed_over(tmp_path: Path) -> None:
    announce(tmp_path, FIRST, tmp_path / "run", "new")
    (file,) = tmp_path.iterdir()
    os.utime(file, (time.time() - 1000,) * 2)
    with pytest.raises(UserError):
        learn(tmp_path, SECOND, seconds=0.1)
