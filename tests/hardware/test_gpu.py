from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
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


@pytest.mark.parametrize(("capability", "precision"), [((8, 0), "bf16-mixed"), ((7, 5), "16-mixed")])
def test_auto_precision_is_what_the_gpus_are_quick_at(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    alone(monkeypatch)
    monkeypatch.setattr(quick, "gpu_capabilities", lambda: [capability])
    made = gpu(**values("gpu", precision="auto", threads=2))
    assert made.precision == precision and made.why and "as set" not in made.why
