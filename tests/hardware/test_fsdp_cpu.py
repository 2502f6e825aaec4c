from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.core.machine import probe
from espalier.core.parts import Placement
from espalier.hardware.fsdp_cpu import fsdp_cpu
from hardware.options import alone, under_torchrun, values


def test_two_processes_where_nobody_started_others(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    made = fsdp_cpu(**values("fsdp_cpu"))
    assert made == Placement("cpu", 2, "32-true", "sharded", max(1, probe().cpus // 2), "sharded, as set")


def test_what_torchrun_started_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    under_torchrun(monkeypatch, 6, per_node=3)
    made = fsdp_cpu(**values("fsdp_cpu", threads=1))
    assert made == Placement("cpu", 3, "32-true", "sharded", 1, "sharded, torchrun", num_nodes=2)


def test_nodes_that_nobody_started(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    with pytest.raises(ConfigError, match="torchrun --nnodes 2"):
        fsdp_cpu(**values("fsdp_cpu", num_nodes=2))


def test_auto_precision_is_that_which_all_processes_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch)
    made = fsdp_cpu(**values("fsdp_cpu", precision="auto"))
    assert (made.precision, made.why) == ("32-true", "sharded, fp32 for several processes on CPUs")
