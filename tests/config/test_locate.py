from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.config.locate import find, is_bare_folder, is_there, module_file, read_module


def test_ours_without_importing() -> None:
    found = find("espalier.trainer.default.default")
    assert found and found.definition.name == "default" and found.module.file.name == "default.py"


def test_re_exports_and_stars_are_followed(package: Callable[..., str]) -> None:
    package(
        "from .bag import *\nfrom .bag import Bag as Sack\nfrom my_parts import bag as b\n",
        bag="class Bag: ...\nclass _In: ...\n",
    )
    for name in ("my_parts.Bag", "my_parts.Sack", "my_parts.bag.Bag"):
        found = find(name)
        assert found and (found.module.name, found.definition.name) == ("my_parts.bag", "Bag")
    assert find("my_parts._In") is None
    assert find("my_parts.b") is None and find("my_parts.Nobody") is None
    assert "my_parts" not in sys.modules


def test_circles_end(package: Callable[..., str]) -> None:
    package("from .a import X\nfrom .a import *\n", a="from . import X\nfrom . import *\n")
    assert find("my_parts.X") is None


def test_definitions_under_a_condition(package: Callable[..., str]) -> None:
    package("try:\n    import nothing\nexcept ImportError:\n    pass\nelse:\n    pass\nif True:\n    class A: ...\n")
    assert find("my_parts.A")


def test_sources_that_cannot_be_read(package: Callable[..., str]) -> None:
    package("def f(:\n", nul="\0")
    assert read_module("my_parts") is None and read_module("my_parts.nul") is None
    assert read_module("sys") is None and read_module("nowhere_at_all") is None and find("one") is None


def test_the_working_folder_is_for_trusted_packages(package: Callable[..., str], tmp_path: Path) -> None:
    package()
    (tmp_path / "stranger.py").write_text("class A: ...\n")
    assert module_file("my_parts") == tmp_path / "my_parts" / "__init__.py"
    assert module_file("stranger") is None


def test_installed_packages_win_over_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("packaging.py").write_text("")
    file = module_file("packaging")
    assert file and tmp_path not in file.parents


def test_namespace_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spacious").mkdir()
    (tmp_path / "spacious" / "net.py").write_text("class Net: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find("spacious.net.Net")


def test_a_folder_without_a_module_is_bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bare_folder", "spacious_two"):
        (tmp_path / name).mkdir()
    (tmp_path / "spacious_two" / "net.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert is_bare_folder("bare_folder")
    assert not any(is_bare_folder(name) for name in ("spacious_two", "espalier", "sys", "nowhere_to_be_found"))


def test_a_package_is_there_though_nobody_trusts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_module_of_one_file.py").touch()
    assert is_there("my_module_of_one_file") and is_there("pytest") and not is_there("nowhere_to_be_found")
