"""The files by which a cluster knows whether anybody uses it."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from espalier.core.errors import RunFailedError
from espalier.launcher import ray_head


@pytest.fixture
def folder() -> Iterator[Path]:
    made = ray_head.new_folder()
    yield made
    shutil.rmtree(made)


def test_a_folder_is_private_and_has_a_token_of_its_own(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(str(folder)) < 60
    variables = ray_head.environment_for(folder)
    assert variables["RAY_AUTH_MODE"] == "token"
    assert len(Path(variables["RAY_AUTH_TOKEN_PATH"]).read_text()) == 64


def test_it_may_end_when_nobody_uses_it(folder: Path) -> None:
    assert ray_head.nobody_uses(folder)
    with ray_head.using(folder / "users"), ray_head.using(folder / "users"):
        assert not ray_head.nobody_uses(folder)
    assert ray_head.nobody_uses(folder)


def test_its_address_is_known_once_it_is_up(folder: Path) -> None:
    assert ray_head.address_of(folder) is None
    (folder / "head.json").write_text(json.dumps({"address": "127.0.0.1:1", "pid": 1}))
    assert ray_head.address_of(folder) == "127.0.0.1:1"


def test_one_that_does_not_come_up_says_what_it_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no room for $2\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    head = ray_head.start(folder)
    with pytest.raises(RunFailedError, match=r"did not start on this machine.\nno room for espalier.launcher"):
        ray_head.wait_for(folder, head)
    assert head.wait(10) == 3
