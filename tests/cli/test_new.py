"""The new project, by the commands that are printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from espalier.cli.new import main, make
from espalier.core.errors import UserError

BIN = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.e2e
def test_it_trains_as_typed_and_its_own_tests_pass(here: Path) -> None:
    typed = subprocess.run([BIN / "espalier", "new", "shop mails"], capture_output=True, text=True, check=True).stdout
    commands = [line.strip() for line in typed.splitlines()[1:]]
    assert commands[1] == "espalier trust shop_mails"
    commands += ["python -m pytest -q -p no:cacheprovider"]
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-ec", "\n".join(commands)], cwd=here, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test accuracy 1.000" in done.stdout
    assert "2 passed" in done.stdout
    assert (here / "shop mails" / "outputs" / "latest" / "report.html").is_file()


def test_no_template_is_left_unfilled(here: Path) -> None:
    assert make(here / "My-Project") == "my_project"
    files = [file for file in (here / "My-Project").rglob("*") if file.is_file()]
    assert {"README.md", ".gitignore", "messages.csv", "bag.yaml"} <= {file.name for file in files}
    assert "`pip install -e .`" in (here / "My-Project" / "README.md").read_text()
    assert [file for file in files if "{package}" in file.read_text() or "{" in file.name] == []


def test_what_is_there_stays(here: Path) -> None:
    (here / "taken").mkdir()
    (here / "taken" / "file").touch()
    with pytest.raises(UserError, match="is there already"):
        main(["taken"])


@pytest.mark.parametrize("name", ["torch", "class", "2024", "json"])
def test_names_that_make_no_package_of_ones_own(here: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"espalier new {name}_experiments"):
        main([name])
    assert not (here / name).exists()
