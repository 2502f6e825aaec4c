"""The scripts, and bash's one in a real bash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from espalier.cli.completion import main
from espalier.core.errors import UserError

PROGRAM = str(Path(sys.executable).with_name("espalier"))


def completed(line: str) -> list[str]:
    """What a bash that has read the script would offer at the end of a line, cut at its word breaks as it does."""
    script = f"""
        eval "$({PROGRAM} completion bash)"
        complete -p espalier > /dev/null || exit 1
        compopt() {{ :; }}
        COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
        _espalier {PROGRAM}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    return done.stdout.split()


@pytest.mark.e2e
def test_bash_offers_what_stands_behind_the_equals_sign() -> None:
    assert completed("espalier tru") == ["trust"]
    assert completed("espalier train model=lst") == ["lstm"]
    assert completed("espalier train hardware.compile=") == ["true", "false"]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_each_script_asks_espalier(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([shell]) == 0
    assert " complete " in capsys.readouterr().out


def test_help_says_where_it_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "~/.bashrc" in capsys.readouterr().out


def test_another_shell_is_answered() -> None:
    with pytest.raises(UserError, match="invalid choice"):
        main(["tcsh"])
