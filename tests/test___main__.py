from __future__ import annotations

import subprocess
import sys

import pytest

from espalier import __main__ as door
from espalier.cli.dispatch import main


def test_the_console_script_and_the_module_are_one_door() -> None:
    assert door.main is main


@pytest.mark.e2e
def test_python_m_espalier() -> None:
    done = subprocess.run([sys.executable, "-m", "espalier", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("espalier ")
