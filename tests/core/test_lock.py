from __future__ import annotations

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
