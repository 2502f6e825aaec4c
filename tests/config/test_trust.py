from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from espalier.config import trust as room
from espalier.config.trust import WorkingFolderFinder, distrust, is_trusted, trust, trusted
from espalier.core.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ESPALIER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_trust_is_kept_in_the_home_of_the_user(home: Path) -> None:
    assert not is_trusted("my_parts") and trusted() == []
    assert trust("my_parts") is True and trust("my_parts") is False
    assert is_trusted("my_parts") and (home / "trusted").read_text() == "my_parts\n"
    assert distrust("my_parts") is True and distrust("my_parts") is False
    assert not is_trusted("my_parts")


@pytest.mark.parametrize(
    "name",
    [
        "os",
        "subprocess",
        "builtins",
        "torch",
        "hydra",
        "numpy",
        "my.parts",
        "",
        "-x",
        "a b",
        "3d",
        "__main__",
        "espalier",
    ],
)
def test_what_nobody_may_trust(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError):
        trust(name)
    monkeypatch.setenv("ESPALIER_TRUST", f"good,{name}")
    assert not is_trusted(name)
    assert is_trusted("good")


def test_trust_for_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_TRUST", "a, b c")
    assert trusted() == ["a", "b", "c"]


def test_installed_packages_may_announce_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("x", "announced.parts:Net", "espalier.parts"), EntryPoint("y", "os:system", "espalier.parts")]
    monkeypatch.setattr(room, "entry_points", lambda group: points if group == "espalier.parts" else [])
    room._announced.cache_clear()
    try:
        assert is_trusted("announced") and not is_trusted("os")
    finally:
        room._announced.cache_clear()


def test_the_finder_finds_trusted_packages_and_nothing_else(tmp_path: Path) -> None:
    for name in ("mine", "strange", "torch"):
        (tmp_path / f"{name}.py").touch()
    trust("mine")
    finder = WorkingFolderFinder(tmp_path)
    assert finder.find_spec("mine")
    assert finder.find_spec("strange") is None and finder.find_spec("torch") is None
    assert finder.find_spec("mine.sub", ["x"]) is None
