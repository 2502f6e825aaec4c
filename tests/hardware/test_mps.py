from __future__ import annotations

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import ConfigError
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.mps import mps
from hardware.options import alone, values


def test_the_options_values(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    for precision, why in (("auto", "fp32 on Apple's GPUs"), ("32-true", "as set")):
        made = mps(**values("mps", precision=precision, threads=2))
        assert made == Placement("mps", 1, "32-true", "auto", 2, why)


@pytest.mark.skipif(probe().apple_gpus > 0, reason="this is a Mac")
def test_elsewhere_it_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match="run where there are Apple GPUs"):
        check(compose(["hardware=mps"]))
