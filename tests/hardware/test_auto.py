from __future__ import annotations

from typing import Any

import pytest

from conf.defaults import defaults_of
from espalier.core.errors import ConfigError
from espalier.core.machine import Machine
from espalier.core.parts import Placement
from espalier.hardware import auto as room
from espalier.hardware import cpu, threads
from espalier.hardware.auto import auto


def on(monkeypatch: pytest.MonkeyPatch, machine: Machine, **values: Any) -> Placement:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for module in (room, cpu, threads):
        monkeypatch.setattr(module, "probe", lambda: machine)
    return auto(**defaults_of("hardware/auto", **values))


def test_the_cpu_in_bf16_with_amx_and_fp32_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on(monkeypatch, Machine(8, 0, True)) == Placement("cpu", 1, "bf16-mixed", "auto", 8, "no GPU, AMX")
    assert on(monkeypatch, Machine(8, 0, False)) == Placement("cpu", 1, "32-true", "auto", 8, "no GPU, no AMX")


def test_a_precision_that_was_set_is_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on(monkeypatch, Machine(8, 0, True), precision="32-true")
    assert (made.precision, made.why) == ("32-true", "no GPU, precision as set")
    made = on(monkeypatch, Machine(8, 1, True), precision="16-mixed")
    assert (made.precision, made.why) == ("16-mixed", "1 GPU here, precision as set")


def test_all_gpus_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on(monkeypatch, Machine(8, 1, False)) == Placement("gpu", 1, "bf16-mixed", "auto", 8, "1 GPU here")
    assert on(monkeypatch, Machine(8, 4, False)) == Placement("gpu", 4, "bf16-mixed", "ddp", 2, "4 of 4 GPUs")


def test_as_many_gpus_as_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made = on(monkeypatch, Machine(8, 4, False), devices=1)
    assert made == Placement("gpu", 1, "bf16-mixed", "auto", 8, "1 of 4 GPUs as set")


def test_fp16_without_a_gpu_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"this machine has none.*bf16-mixed"):
        on(monkeypatch, Machine(8, 0, True), precision="16-mixed")
