from __future__ import annotations

import pytest

from conf.defaults import defaults_of
from espalier.core.machine import Machine
from espalier.core.parts import Placement
from espalier.hardware import cpu as room
from espalier.hardware.cpu import cpu


def test_the_options_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    made = cpu(**defaults_of("hardware/cpu", precision="32-true", threads=2))
    assert made == Placement("cpu", 1, "32-true", "auto", 2, "as set")
    assert made.world_size == 1


@pytest.mark.parametrize(("amx", "precision", "why"), [(True, "bf16-mixed", "AMX"), (False, "32-true", "no AMX")])
def test_auto_takes_bf16_where_the_cpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, precision: str, why: str
) -> None:
    monkeypatch.setattr(room, "probe", lambda: Machine(2, 0, amx))
    made = cpu(**defaults_of("hardware/cpu", precision="auto", threads=2))
    assert (made.precision, made.why) == (precision, why)


def test_the_environments_threads_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    made = cpu(**defaults_of("hardware/cpu", precision="32-true"))
    assert (made.threads, made.why) == (3, "as set, OMP_NUM_THREADS=3")
