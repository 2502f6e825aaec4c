from __future__ import annotations

import pytest

from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.ddp_cpu import ddp_cpu
from hardware.options import alone, under_torchrun, values


def test_two_processes_where_nobody_started_others(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    made = ddp_cpu(**values("ddp_cpu"))
    assert made == Placement("cpu", 2, "32-true", "ddp", max(1, probe().cpus // 2), "as set")
    assert made.world_size == 2


def test_what_torchrun_started_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 6, per_node=3)
    made = ddp_cpu(**values("ddp_cpu", threads=1))
    assert made == Placement("cpu", 3, "32-true", "ddp", 1, "torchrun", num_nodes=2)


def test_auto_precision_is_that_which_all_processes_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    made = ddp_cpu(**values("ddp_cpu", precision="auto"))
    assert (made.precision, made.why) == ("32-true", "fp32 for several processes on CPUs")
