from __future__ import annotations

import pytest

from conf.defaults import defaults_of
from espalier.core.parts import Placement
from espalier.hardware.gpu import gpu


@pytest.mark.parametrize(("devices", "strategy"), [(1, "auto"), (4, "ddp")])
def test_several_train_by_ddp(devices: int, strategy: str) -> None:
    made = gpu(**defaults_of("hardware/gpu", devices=devices, precision="bf16-mixed", threads=2))
    assert made == Placement("gpu", devices, "bf16-mixed", strategy, 2, "as set")
