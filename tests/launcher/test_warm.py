"""The real parent and real trials."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from espalier.core.launching import environment_of
from espalier.core.rundir import process_created
from espalier.launcher.warm import Fork, WarmParent
from launcher.waiting import wait

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("warm")]


@pytest.fixture(scope="module")
def parent() -> Iterator[WarmParent]:
    made = WarmParent(environment_of())
    wait(lambda: made.listen() or made.ready or None, 300)
    yield made
    made.leave()
    wait(lambda: None if process_created(made.pid) else True, 20)


def fork(parent: WarmParent, words: list[str], log: Path, **environment: str) -> Fork:
    answer = parent.fork(words, {**environment_of(), **environment}, str(log), 1)
    assert isinstance(answer, Fork), answer
    return answer


def test_a_fork_ends_as_a_process_of_its_own_would(parent: WarmParent, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    made = fork(parent, [str(tmp_path / "nothing")], log)
    assert wait(lambda: parent.code(made)) == 2
    assert "nothing" in log.read_text()
    made = fork(parent, ["--no-such-word"], log)
    assert wait(lambda: parent.code(made)) == 2
    assert "usage: python -m espalier.run" in log.read_text()


def test_a_fork_may_be_killed(parent: WarmParent, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.yaml")  # it waits for somebody to write
    made = fork(parent, [str(tmp_path)], tmp_path / "log.txt")
    assert parent.code(made) is None
    wait(lambda: os.getpgid(made.pid) == made.pid or None)  # its own, so that all of it can be killed
    os.kill(made.pid, signal.SIGKILL)
    assert wait(lambda: parent.code(made)) == -signal.SIGKILL
