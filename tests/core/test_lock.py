from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from espalier.core.errors import UserError
from espalier.core.lock import held, is_held

HOLDER = """
import sys, time
from pathlib import Path
from espalier.core.lock import held
with held(Path(sys.argv[1])):
    print("holds", flush=True)
    time.sleep(60)
"""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(UserError, match="another process"), held(tmp_path):
            pass
    assert not is_held(tmp_path)


def test_a_killed_holder_holds_no_more(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "holds\n"
    assert is_held(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not is_held(tmp_path)


def test_nothing_is_held_where_nothing_is(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "none")


def test_the_holder_is_named(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "holds\n"
    with pytest.raises(UserError, match=f"process {process.pid} on {os.uname().nodename}"), held(tmp_path):
        pass
    process.kill()
    process.wait()
    with held(tmp_path), pytest.raises(UserError, match=f"process {os.getpid()} on"), held(tmp_path):
        pass
    assert (tmp_path / "lock").read_text() == ""


LOOKER = """
import sys
from pathlib import Path
from espalier.core.lock import is_held
print("looks", flush=True)
while True:
    is_held(Path(sys.argv[1]))
"""


def test_those_who_only_look_keep_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    lookers = [
        subprocess.Popen([sys.executable, "-c", LOOKER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        assert all(looker.stdout and looker.stdout.readline() == "looks\n" for looker in lookers)
        for _ in range(50):
            with held(tmp_path):
                assert is_held(tmp_path)
    finally:
        for looker in lookers:
            looker.kill()
            looker.wait()


def test_to_look_leaves_nothing_behind(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_vanished(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone.*cannot be written in: No such file"), held(tmp_path / "gone"):
        pass
