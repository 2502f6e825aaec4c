from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core import home


def test_named_folders_win(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "CACHE", "DATA", "MODELS"):
        monkeypatch.setenv(f"ESPALIER_{name}", f"/x/{name}")
    found = (home.home(), home.cache(), home.data_root(), home.models_root())
    assert found == (Path("/x/HOME"), Path("/x/CACHE"), Path("/x/DATA"), Path("/x/MODELS"))


def test_else_the_desktops_convention(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "CACHE", "DATA", "MODELS"):
        monkeypatch.delenv(f"ESPALIER_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/h")
    assert (home.home(), home.cache()) == (Path("/c/espalier"), Path("/h/.cache/espalier"))
    assert (home.data_root(), home.models_root()) == (None, None)


def test_a_source_is_a_folder_if_it_is_written_as_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/h")
    assert home.folder_of("./mine") == home.folder_of("../" + tmp_path.name + "/mine") == tmp_path / "mine"
    assert (home.folder_of("/a/../b"), home.folder_of("~/mine"), home.folder_of(".")) == (
        Path("/b"),
        Path("/h/mine"),
        tmp_path,
    )
    assert home.folder_of("org/net") is home.folder_of("gpt2") is None
