from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("code", [0, 3])
def test_it_ends_in_order(code: int) -> None:
    program = f"""
import atexit, sys, threading, time
from espalier.core.interpreter import leave
atexit.register(print, "at exit")
threading.Thread(target=lambda: (time.sleep(0.1), print("a thread's last word"))).start()
print("said", end=" ")
leave({code})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "said a thread's last word\nat exit\n", "")


def test_nothing_is_taken_apart() -> None:
    program = """
from espalier.core.interpreter import leave
class Heavy:
    def __del__(self): print("taken apart")
heavy = Heavy()
leave(0)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == ""


def test_what_could_not_be_written_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = "from espalier.core.interpreter import leave\nprint('an answer')\nleave(0)\n"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (120, "<stdout>: No space left on device\n")
