from __future__ import annotations

import pytest

from conf.defaults import defaults_of
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.ddp_cpu import ddp_cpu


def test_the_options_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = ddp_cpu(**defaults_of("hardware/ddp_cpu"))
    assert made == Placement("cpu", 2, "32-true", "ddp", max(1, probe().cpus // 2), "as set")
    assert made.world_size == 2
