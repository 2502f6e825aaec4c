from __future__ import annotations

from typing import Any

import pytest

from espalier.core.machine import Machine
from espalier.launcher.needs import Needs, needs_of

HERE, BOX = Machine(2, 0, False), Machine(16, 4, True)


def node(option: str, **settings: Any) -> dict[str, Any]:
    return {"_target_": f"espalier.hardware.{option}.{option}", "threads": "auto", **settings}


@pytest.mark.parametrize(
    ("hardware", "machine", "needs"),
    [
        (node("cpu", devices=1), BOX, Needs("cpu", 1, None, 1)),
        (node("cpu", devices=1, threads=3), HERE, Needs("cpu", 1, 3, 1)),
        (node("ddp_cpu", devices="auto"), HERE, Needs("cpu", 2, None, 1)),
        (node("ddp_cpu", devices=4), BOX, Needs("cpu", 4, None, 1)),
        (node("fsdp_cpu", devices="auto", num_nodes=2), BOX, Needs("cpu", 2, None, 2)),
        (node("auto", devices="auto"), HERE, Needs("cpu", 1, None, 1)),
        (node("auto", devices="auto"), BOX, Needs("gpu", None, None, 1)),
        (node("gpu", devices=2), BOX, Needs("gpu", 2, None, 1)),
        (node("gpu", devices=8), HERE, Needs("gpu", 8, None, 1)),  # for what it says, though there is none
        (node("ddp", devices="auto", num_nodes="auto"), BOX, Needs("gpu", None, None, 1)),
        (node("mps", devices=1), Machine(8, 0, False, 1), Needs("mps", 1, None, 1)),
        ({"_target_": "mine.Hardware"}, HERE, Needs("cpu", 1, None, 1)),
        ({"_target_": "mine.Hardware", "devices": 2}, BOX, Needs("gpu", 2, None, 1)),
        ({"_target_": "mine.Hardware", "accelerator": "cpu"}, BOX, Needs("cpu", 1, None, 1)),
    ],
)
def test_needs(hardware: dict[str, Any], machine: Machine, needs: Needs) -> None:
    assert needs_of(hardware, machine) == needs


def test_a_truth_value_is_no_number() -> None:
    assert needs_of(node("ddp_cpu", devices=True), HERE).processes == 2
