from __future__ import annotations

from pathlib import Path

import pytest

from espalier.config.compose import compose
from espalier.config.saved import write
from espalier.report.provenance import Setting, settings_of, yaml_words


def test_what_was_set_over_a_default_and_by_whom(tmp_path: Path) -> None:
    write(compose(["experiment=sst2_lora", "optimizer.lr=3e-4", "+vars.note=null"]), tmp_path)
    found = {one.key: one for one in settings_of(tmp_path)}
    assert found["optimizer.lr"] == Setting("optimizer.lr", "0.0003", "command line: optimizer.lr=3e-4", "0.001")
    assert found["vars.note"] == Setting("vars.note", "null", "command line: +vars.note=null", "")
    assert found["name"].by.startswith("conf/experiment/sst2_lora.yaml:")
    assert "optimizer.weight_decay" not in found


def test_a_secret_is_kept_back(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("vars: {api_key: abc}\n")
    (tmp_path / "origin.yaml").write_text("set:\n  vars.api_key: ['command line: vars.api_key=abc', xyz]\n")
    assert settings_of(tmp_path) == [Setting("vars.api_key", "•••", "command line: vars.api_key=•••", "•••")]


@pytest.mark.parametrize("origin", [None, "", "[]", "set: 3", "set: {a: b: c}", "schema: 1"])
def test_files_that_do_not_tell_tell_nothing(tmp_path: Path, origin: str | None) -> None:
    (tmp_path / "config.yaml").write_text("seed: 1\n")
    if origin is not None:
        (tmp_path / "origin.yaml").write_text(origin)
    assert settings_of(tmp_path) == []


def test_values_are_said_as_yaml_says_them() -> None:
    values = (None, True, 0.001, "a: b", ["x", 1], {})
    assert [yaml_words(value) for value in values] == ["null", "true", "0.001", "a: b", "[x, 1]", "{}"]
