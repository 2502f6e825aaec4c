from __future__ import annotations

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import ConfigError
from espalier.hardware.common import Common, computing
from hardware.options import values


def test_every_key_stands_in_the_yaml() -> None:
    assert set(Common.__annotations__) <= values("cpu").keys()


def test_how_the_model_computes_is_handed_on() -> None:
    given = Common(threads=1, compile=True, gradient_checkpointing=False, attention="eager", oom="halve")
    assert computing(given) == {"compile": True, "gradient_checkpointing": False, "attention": "eager"}


def test_compiling_without_a_compiler_is_refused_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    check(compose(["hardware=cpu"]))
    with pytest.raises(ConfigError, match=r"hardware.compile=true.*needs a C\+\+ compiler.*hardware.compile=false"):
        check(compose(["hardware=cpu", "hardware.compile=true"]))
