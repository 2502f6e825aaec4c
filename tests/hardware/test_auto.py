from __future__ import annotations

from typing import Any

import pytest
import torch

from espalier.core.errors import ConfigError
from espalier.core.machine import Machine
from espalier.core.parts import Placement
from espalier.hardware import auto as room
from espalier.hardware import precision, threads
from espalier.hardware.auto import auto
from hardware.options import alone, under_srun, under_torchrun, values


def on(monkeypatch: pytest.MonkeyPatch, machine: Machine, *, capability: tuple[int, int] = (8, 0), **set_: Any) -> Any:
    for module in (room, precision, threads):
        monkeypatch.setattr(module, "probe", lambda: machine)
    monkeypatch.setattr(precision, "gpu_capabilities", lambda: [(9, 0), capability])
    monkeypatch.setattr(precision, "bf16_speed", lambda: 2.31)
    return auto(**values("auto", **set_))


@pytest.fixture(autouse=True)
def nobody_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)


def test_the_cpu_in_bf16_where_it_is_quicker_and_fp32_where_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = Placement("cpu", 1, "bf16-mixed", "auto", 8, "no GPU, bf16: 2.3 times as fast as fp32 here")
    assert on(monkeypatch, Machine(8, 0, True)) == quick
    fp32 = Placement("cpu", 1, "32-true", "auto", 8, "no GPU, this CPU has no bf16")
    assert on(monkeypatch, Machine(8, 0, False)) == fp32


def test_a_precision_that_was_set_is_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on(monkeypatch, Machine(8, 0, True), precision="32-true")
    assert (made.precision, made.why) == ("32-true", "no GPU, precision as set")
    made = on(monkeypatch, Machine(8, 1, True), precision="16-mixed")
    assert (made.precision, made.why) == ("16-mixed", "1 GPU here, precision as set")


def test_all_gpus_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on(monkeypatch, Machine(8, 1, False)) == Placement("gpu", 1, "bf16-mixed", "auto", 8, "1 GPU here")
    assert on(monkeypatch, Machine(8, 4, False)) == Placement("gpu", 4, "bf16-mixed", "ddp", 2, "4 of 4 GPUs")


def test_gpus_that_torch_cannot_use_are_left_alone_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (room, precision, threads):
        monkeypatch.setattr(module, "probe", lambda: Machine(8, 2, False))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    made = auto(**values("auto"))
    assert (made.accelerator, made.why) == ("cpu", "torch cannot use the GPUs here, this CPU has no bf16")
    with pytest.raises(ConfigError, match=r"torch +cannot use the GPUs of this machine.* See:  espalier doctor"):
        precision.of_gpus()


def test_gpus_without_bf16_train_in_fp16(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on(monkeypatch, Machine(8, 2, False), capability=(7, 5))
    assert (made.precision, made.why) == ("16-mixed", "2 of 2 GPUs, compute capability 7.5 has no bf16")


def test_as_many_gpus_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on(monkeypatch, Machine(8, 4, False), devices=1)
    assert made == Placement("gpu", 1, "bf16-mixed", "auto", 8, "1 of 4 GPUs as set")


def test_what_torchrun_started_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 8, per_node=4)
    made = on(monkeypatch, Machine(8, 0, True))
    assert made == Placement(
        "cpu", 4, "32-true", "ddp", 2, "no GPU, torchrun, fp32 for several processes on CPUs", num_nodes=2
    )
    made = on(monkeypatch, Machine(8, 4, True))
    assert (made.world_size, made.strategy, made.why) == (8, "ddp", "4 of 4 GPUs, torchrun")


def test_a_gpu_bound_to_each_process_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    under_srun(monkeypatch, 4)
    with pytest.raises(ConfigError, match=r"sees 1 of 4 GPUs.*--gpu-bind=none"):
        on(monkeypatch, Machine(8, 1, False))


def test_fp16_without_a_gpu_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"this machine has none.*bf16-mixed"):
        on(monkeypatch, Machine(8, 0, True), precision="16-mixed")
