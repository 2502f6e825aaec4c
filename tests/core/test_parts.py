from __future__ import annotations

from pathlib import Path

from espalier.core.parts import Batching, Placement, RunInfo


def test_world_size_is_devices_of_all_nodes() -> None:
    assert Placement("gpu", 4, "bf16-mixed", "ddp", 2, "as set", num_nodes=2).world_size == 8
    assert Placement("cpu", 1, "32-true", "auto", 2, "no GPU").world_size == 1


def test_records_have_the_defaults_of_a_plain_run() -> None:
    assert Batching(8, 16, 0, True).max_length is None
    assert RunInfo(Path("x"), "name", "abc123", {}).resumed is False
