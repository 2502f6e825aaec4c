from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationKeyError

from espalier.build.instantiate import instantiate
from espalier.core.errors import ConfigError, DataError, TrustError

PARTS = """
from dataclasses import dataclass
from espalier.core.errors import DataError
@dataclass
class Inner:
    size: int
class Outer:
    def __init__(self, given, /, *, inner, sizes, name):
        self.given, self.inner, self.sizes, self.name = given, inner, sizes, name
class Broken:
    def __init__(self): raise DataError("the table is empty")
"""


@pytest.fixture(autouse=True)
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "built_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ESPALIER_TRUST", "built_parts")


def node(**settings: Any) -> Any:
    tree = {"size": 4, "part": {"_target_": "built_parts.Outer", "name": "a", "sizes": [1, "${size}"], **settings}}
    return OmegaConf.create(tree).part


def test_nested_parts_are_made_and_references_resolved() -> None:
    made = instantiate(node(inner={"_target_": "built_parts.Inner", "size": "${size}"}), "facts")
    assert (made.given, made.inner.size, made.sizes) == ("facts", 4, [1, 4])
    assert type(made.sizes) is list


def test_live_objects_are_passed_as_they_are() -> None:
    from built_parts import Inner

    live, given = Inner(3), {"a": [1]}
    made = instantiate(node(inner={"_target_": "built_parts.Inner", "size": 1}), given, inner=live)
    assert made.inner is live and made.given is given


def test_errors_come_as_they_are_raised() -> None:
    with pytest.raises(DataError, match="empty"):
        instantiate(OmegaConf.create({"p": {"_target_": "built_parts.Broken"}}).p)


def test_what_is_not_trusted_is_not_made() -> None:
    with pytest.raises(TrustError, match=r"part\.inner\._target_"):
        instantiate(node(inner={"_target_": "os.getcwd"}), "facts")


def test_a_reference_that_leads_nowhere() -> None:
    with pytest.raises(InterpolationKeyError):
        instantiate(node(inner="${nothing}"), "facts")


def test_a_module_that_does_not_load_is_told_once_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ESPALIER_TRUST", "broken_parts")
    (tmp_path / "broken_parts.py").write_text("import math\nimport torchh\nclass Net: ...\n")
    with pytest.raises(ConfigError) as caught:
        instantiate(OmegaConf.create({"p": {"_target_": "broken_parts.Net"}}).p)
    assert str(caught.value) == "broken_parts.py:2  ModuleNotFoundError: No module named 'torchh'"
    assert capsys.readouterr().err == ""
