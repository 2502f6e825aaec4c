"""conf/<group>/<option>.yaml names src/espalier/<group>/<option>.py, which tests/<group>/test_<option>.py tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONF, SOURCE, TESTS = ROOT / "conf", ROOT / "src" / "espalier", ROOT / "tests"
OPTIONS = sorted(file for file in CONF.rglob("*/*.yaml") if not file.name.startswith("_"))
PARTS = [file for file in OPTIONS if file.relative_to(CONF).parts[0] != "space"]  # a space is of an option, and none
NO_MIRROR = {"architecture", "conf", "e2e", "fuzz"}  # test rooms that look at the whole


@pytest.mark.parametrize("option", PARTS, ids=lambda file: str(file.relative_to(CONF)))
def test_option_module_and_test_stand_side_by_side(option: Path) -> None:
    place = option.relative_to(CONF).with_suffix("")
    for target in own_targets(load(option)):
        module, _, name = target.rpartition(".")
        assert module == ".".join(("espalier", *place.parts)), f"{option}: {target} lives in another room"
        file = SOURCE / place.with_suffix(".py")
        assert name in public_definitions(file), f"{file} defines no public {name}"
        assert (TESTS / place.parent / f"test_{place.name}.py").is_file(), f"{place} has no test beside it"


@pytest.mark.parametrize("option", PARTS, ids=lambda file: str(file.relative_to(CONF)))
def test_option_without_target_only_chooses(option: Path) -> None:
    content = load(option)
    if list(own_targets(content)) or not content:
        return
    defaults = content.get("defaults", [])
    overriding = [line for line in defaults if isinstance(line, dict) and next(iter(line)).startswith("override ")]
    presets = [line for line in defaults if isinstance(line, str) and (option.parent / f"{line}.yaml").is_file()]
    is_global = option.read_text().startswith("# @package _global_")
    assert overriding or presets or is_global, f"{option} has neither target nor choice"


def test_root_names_assemble() -> None:
    assert load(CONF / "train.yaml")["_target_"] == "espalier.build.assemble.assemble"


def test_every_option_says_what_it_is() -> None:
    for option in OPTIONS:
        lines = [line for line in option.read_text().splitlines() if not line.startswith("# @package")]
        assert lines[0].startswith("# "), f"{option}: the first line is a comment that says what this is"


def test_every_test_has_its_source() -> None:
    orphans = [
        str(test.relative_to(ROOT))
        for test in sorted(TESTS.rglob("test_*.py"))
        if (place := test.relative_to(TESTS)).parts[0] not in NO_MIRROR
        and not (SOURCE / place.parent / place.name.removeprefix("test_")).is_file()
    ]
    assert orphans == []


def load(option: Path) -> dict[str, Any]:
    return yaml.safe_load(option.read_text()) or {}


def own_targets(content: dict[str, Any]) -> Iterator[str]:
    """An option's own target, or those of a mapping name -> node (callbacks, trackers)."""
    nodes = [content, *(value for value in content.values() if isinstance(value, dict))]
    return (node["_target_"] for node in nodes if "_target_" in node)


def public_definitions(file: Path) -> set[str]:
    body = ast.parse(file.read_text()).body if file.is_file() else []
    return {
        node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    }
