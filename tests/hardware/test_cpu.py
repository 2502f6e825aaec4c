from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.core.machine import Machine
from espalier.core.parts import Placement
from espalier.hardware import precision as quick
from espalier.hardware.cpu import cpu
from hardware.options import alone, under_torchrun, values


@pytest.fixture(autouse=True)
def nobody_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)


def test_the_options_values() -> None:
    made = cpu(**values("cpu", precision="32-true", threads=2, gradient_checkpointing=True))
    assert made == Placement("cpu", 1, "32-true", "auto", 2, "as set", gradient_checkpointing=True)
    assert made.world_size == 1


def test_auto_is_fp32_where_the_cpu_has_no_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "probe", lambda: Machine(2, 0, False))
    made = cpu(**values("cpu", precision="auto", threads=2))
    assert (made.precision, made.why) == ("32-true", "this CPU has no bf16")


def test_the_environments_threads_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    made = cpu(**values("cpu", precision="32-true"))
    assert (made.threads, made.why) == (3, "as set, OMP_NUM_THREADS=3")


def test_several_processes_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 2)
    with pytest.raises(ConfigError, match=r"torchrun started 2\. Set hardware=ddp_cpu"):
        cpu(**values("cpu"))
