from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.core.parts import Placement
from espalier.hardware.gpu import gpu
from hardware.options import alone, under_torchrun, values


@pytest.mark.parametrize(("devices", "strategy"), [(1, "auto"), (4, "ddp")])
def test_several_train_by_ddp(monkeypatch: pytest.MonkeyPatch, devices: int, strategy: str) -> None:
    alone(monkeypatch)
    made = gpu(**values("gpu", devices=devices, precision="bf16-mixed", threads=2))
    assert made == Placement("gpu", devices, "bf16-mixed", strategy, 2, "as set")


def test_processes_of_torchrun_belong_to_another_option(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 4)
    with pytest.raises(ConfigError, match="Set hardware=ddp,"):
        gpu(**values("gpu", devices=4))
