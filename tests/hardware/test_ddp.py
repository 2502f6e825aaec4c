from __future__ import annotations

import pytest

from espalier.config.check import check
from espalier.config.compose import compose
from espalier.core.errors import ConfigError
from espalier.core.machine import Machine, probe
from espalier.core.parts import Placement
from espalier.hardware import ddp as room
from espalier.hardware import precision as quick
from espalier.hardware.ddp import ddp
from hardware.options import alone, under_srun, under_torchrun, values


@pytest.fixture(autouse=True)
def four_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    monkeypatch.setattr(room, "probe", lambda: Machine(8, 4, False))


def test_all_gpus_of_the_machine() -> None:
    assert ddp(**values("ddp", threads=2)) == Placement("gpu", 4, "bf16-mixed", "ddp", 2, "as set")


def test_two_machines_started_by_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 4, per_node=2)
    made = ddp(**values("ddp", threads=2, num_nodes=2))
    assert made == Placement("gpu", 2, "bf16-mixed", "ddp", 2, "torchrun", num_nodes=2)


def test_two_machines_that_nobody_started() -> None:
    with pytest.raises(ConfigError, match="torchrun --nnodes 2"):
        ddp(**values("ddp", num_nodes=2))


def test_a_gpu_bound_to_each_process_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    under_srun(monkeypatch, 4)
    monkeypatch.setattr(room, "probe", lambda: Machine(8, 1, False))
    with pytest.raises(ConfigError, match=r"sees 1 of 4 GPUs.*--gpu-bind=none"):
        ddp(**values("ddp"))


@pytest.mark.skipif(probe().gpus > 0, reason="there is a GPU")
def test_without_a_gpu_it_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match=r"this machine has .* no GPU.*Set hardware="):
        check(compose(["hardware=ddp"]))


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), "bf16-mixed"), ((7, 0), "16-mixed")])
def test_auto_precision_is_what_the_gpus_are_quick_at(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(quick, "gpu_capabilities", lambda: [capability])
    made = ddp(**values("ddp", precision="auto", threads=2))
    assert made.precision == precision and made.why and "as set" not in made.why
