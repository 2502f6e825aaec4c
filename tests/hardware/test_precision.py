from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import torch

from espalier.core.machine import Machine
from espalier.core.quantities import times_as_fast
from espalier.hardware import precision


@pytest.mark.parametrize(
    ("capabilities", "chosen"),
    [([(8, 0), (9, 0)], "bf16-mixed"), ([(8, 6)], "bf16-mixed"), ([(9, 0), (7, 5)], "16-mixed")],
)
def test_gpus_take_bf16_where_each_of_them_can(
    monkeypatch: pytest.MonkeyPatch, capabilities: list[tuple[int, int]], chosen: str
) -> None:
    monkeypatch.setattr(precision, "gpu_capabilities", lambda: capabilities)
    assert precision.of_gpus()[0] == chosen


@pytest.mark.parametrize(("speed", "chosen"), [(2.31, "bf16-mixed"), (1.5, "bf16-mixed"), (1.4, "32-true")])
def test_a_cpus_bf16_is_used_where_it_was_measured_to_be_quicker(
    monkeypatch: pytest.MonkeyPatch, speed: float, chosen: str
) -> None:
    monkeypatch.setattr(precision, "probe", lambda: Machine(2, 0, True))
    monkeypatch.setattr(precision, "bf16_speed", lambda: speed)
    assert precision.of_cpu() == (chosen, f"bf16: {times_as_fast(speed)} fp32 here")


def test_the_measured_speed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESPALIER_CACHE", str(tmp_path))
    measured = precision.bf16_speed()
    assert 0.01 < measured < 100
    (key,) = json.loads((tmp_path / "bf16.json").read_text())
    (tmp_path / "bf16.json").write_text(json.dumps({key: 7.0}))
    assert precision.bf16_speed() == 7.0
    (tmp_path / "bf16.json").write_text("{")
    assert precision.bf16_speed() != 7.0


def test_a_cache_that_cannot_be_written_costs_the_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ESPALIER_CACHE", os.fspath(tmp_path / "file"))
    assert precision.bf16_speed() > 0


def test_measuring_is_quick() -> None:
    precision._measure()  # the first one loads kernels
    took = []
    for _ in range(3):
        began = time.process_time()  # what others on the machine do is not its own
        precision._measure()
        took.append(time.process_time() - began)
    assert min(took) < 1.0  # 0.1 s; where bf16 is emulated 0.5 s


def test_gpus_whose_driver_is_too_old_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(_: int) -> str:
        raise RuntimeError("The NVIDIA driver on your system is too old")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", raising)
    monkeypatch.setattr(precision, "of_cpu", lambda: ("32-true", ""))
    monkeypatch.setattr(precision, "bf16_speed", lambda: 1.0)
    assert precision.measured()["gpus"] == []


def test_what_doctor_is_told() -> None:
    found = precision.measured()
    assert found["threads"] == 1 or isinstance(found["threads"], int)
    assert json.loads(json.dumps(found)) == found
