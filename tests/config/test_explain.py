from __future__ import annotations

import pytest

from espalier.config.compose import compose
from espalier.config.explain import explain
from espalier.core.errors import ConfigError


def test_a_value_its_type_its_meaning_and_who_set_it() -> None:
    lines = explain(compose(["experiment=sst2_lora", "optimizer.lr=3"]), "optimizer.lr")
    assert lines[0] == "optimizer.lr = 3    float > 0, the step size after warm-up"
    assert lines[1] == "  set by    command line: optimizer.lr=3"
    assert [line.split()[:2] for line in lines[2:]] == [
        ["over", "conf/experiment/sst2_lora.yaml:8"],
        ["over", "conf/optimizer/adamw.yaml:4"],
    ]


def test_a_part_and_its_settings() -> None:
    lines = explain(compose(["model=lstm", "adapter=full"]), "model")
    assert lines[0].startswith("model    espalier.model.lstm.Lstm    ")
    assert any(line.startswith("  hidden") and "int >= 1" in line for line in lines)


def test_a_reference_is_shown_as_it_is_written() -> None:
    assert "(${model.source})" in explain(compose([]), "model.encoding.source")[0]


def test_a_mapping() -> None:
    assert explain(compose(["vars={a: null, b: true}"]), "vars")[-2:] == ["  a = null", "  b = true"]


def test_an_unknown_key() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean  optimizer\.lr"):
        explain(compose([]), "optimizer.lrr")


def test_secrets_stay_secret() -> None:
    assert "hushhush" not in "\n".join(explain(compose(["vars.password=hushhush"]), "vars.password"))
