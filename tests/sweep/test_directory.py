"""Whose folder a sweep takes, and that one driver has it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from espalier.core.errors import UserError
from espalier.core.lock import held, is_held
from espalier.sweep.directory import driven, new_directory, own_id, require_free
from sweep.planning import SMALL, planner


def test_a_new_ones_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = new_directory(planner(*SMALL, "optimizer.lr=1e-3,1e-2", "name=été/1"))
    assert re.fullmatch(r"sweep-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-[0-9a-f]{6}", made.name)
    assert made.parent.parent == tmp_path / "outputs" and "/" not in made.parent.name and not made.exists()
    grid = planner(*SMALL[:1], "model=mlp,cnn", "adapter=full", "optimizer.lr=1e-3")
    assert new_directory(grid).parent.name == "digits-full"  # what is not varied


def test_each_sweep_has_digits_of_its_own(tmp_path: Path) -> None:
    assert own_id(tmp_path / "sweep-2026-11-30_14-02-11-3fa9c1") == "3fa9c1"
    drawn = {own_id(tmp_path / name / "main") for name in ("sst2", "agnews", "sst2")}
    assert len(drawn) == 3 and all(re.fullmatch(r"[0-9a-f]{6}", each) for each in drawn)


@pytest.mark.parametrize(
    ("holds", "free"), [([], True), (["trials", "lock"], True), (["trials", "notes.txt"], False), (["outputs"], False)]
)
def test_what_may_become_one(tmp_path: Path, holds: list[str], free: bool) -> None:
    for name in holds:
        (tmp_path / name).mkdir()
    require_free(tmp_path / "none-yet")
    if free:
        require_free(tmp_path)
    else:
        with pytest.raises(UserError, match="is no sweep's directory, and holds other things"):
            require_free(tmp_path)


def test_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine")
    with pytest.raises(UserError, match=r"sweep\.dir="):
        require_free(tmp_path / "f")


def test_one_driver_at_a_time_who_is_named(tmp_path: Path) -> None:
    with driven(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    with held(tmp_path):
        with pytest.raises(UserError, match="is driven by another process"), driven(tmp_path):
            pass
        (tmp_path / "summary.json").write_text(json.dumps({"driver": {"pid": os.getpid(), "host": "far"}}))
        with pytest.raises(UserError, match=f"is driven by process {os.getpid()} on far"), driven(tmp_path):
            pass
