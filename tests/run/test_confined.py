"""What a confined process may not do, each tried in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_BEGIN = """
import ctypes, importlib, os, signal, socket, subprocess, sys, urllib.request
from pathlib import Path
from espalier.core.errors import EspalierError
from espalier.run.confined import confined, leave_network
separate = leave_network()
taken = bytearray(1)
with confined(memory=2**26, seconds=2, writes=1000) as confinement:
    try:
        {act}
    except (EspalierError, OSError, MemoryError) as error:
        print(type(error).__name__, error)
        sys.exit(3)
"""
_ACTS = {
    "shell": "os.system('touch canary')",
    "process": "subprocess.run(['touch', 'canary'])",
    "fork": "os.fork()",
    "exec": "os.execv('/bin/touch', ['touch', 'canary'])",
    "socket": "socket.socket().connect(('127.0.0.1', 9))",
    "name": "socket.getaddrinfo('localhost', 80)",
    "fetch": "urllib.request.urlopen('http://127.0.0.1:9')",
    "file": "open('canary', 'w')",
    "file read": "open('/etc/hostname').read()",
    "descriptor": "os.open('canary', os.O_WRONLY | os.O_CREAT)",
    "folder": "os.mkdir('canary')",
    "rename": "os.rename('kept', 'canary')",
    "remove": "os.remove('kept')",
    "eval": "eval('1+1')",
    "import": "importlib.import_module('antigravity')",
    "library": "ctypes.CDLL('libc.so.6')",
    "kill": "os.kill(os.getppid(), 0)",
    "memory": "taken = bytearray(2**28)",
}


def confined(act: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "kept").write_text("kept")
    script = _BEGIN.format(act=act)
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("act", _ACTS)
def test_what_acts_is_refused(act: str, tmp_path: Path) -> None:
    done = confined(_ACTS[act], tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


def test_time_is_limited(tmp_path: Path) -> None:
    done = confined("while True: pass", tmp_path)
    assert done.returncode in (-24, -9), done.stderr  # SIGXCPU, or the SIGKILL that follows it


def test_without_python_s_hooks_no_file_can_be_opened_but_the_one(tmp_path: Path) -> None:
    """Code that got past the hooks meets the kernel's limits."""
    before = "creat = ctypes.CDLL(None).creat"
    script = _BEGIN.replace("taken = bytearray(1)", before).format(
        act="print(creat(b'canary', 0o600)); confinement.let_write_one(); "
        "print(creat(b'one', 0o600) >= 0, creat(b'two', 0o600))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["-1", "True", "-1"], done.stdout + done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["one"]


def test_the_network_is_left_where_the_kernel_lets_it(tmp_path: Path) -> None:
    script = (
        "import socket; from espalier.run.confined import leave_network as leave; print(leave(), socket.if_nameindex())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("False") or done.stdout == "True [(1, 'lo')]\n", "a loopback that is down is all"


def test_a_module_is_run_as_python_runs_it(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    done = subprocess.run(
        [sys.executable, "-m", "espalier.run.confined", "told", "a", "b"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "__main__ ['a', 'b']\n", done.stderr
