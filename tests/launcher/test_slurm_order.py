from __future__ import annotations

from typing import Any

import pytest

from espalier.launcher.slurm_order import Order, faults_of, order_of


def hardware(option: str, **others: Any) -> dict[str, Any]:
    """As in a trial's config."""
    return {"_target_": f"espalier.hardware.{option}.{option}", "devices": "auto", "threads": "auto", **others}


@pytest.mark.parametrize(
    ("node", "given", "wanted"),
    [
        (hardware("cpu", devices=1), {}, Order(1, 1, 1, ())),
        (hardware("cpu", devices=1, threads=4), {}, Order(1, 1, 1, (("cpus_per_task", 4),))),
        (hardware("cpu", devices=1, threads=4), {"cpus_per_task": 8}, Order(1, 1, 1, (("cpus_per_task", 8),))),
        (hardware("ddp_cpu"), {}, Order(1, 1, 2, (("cpus_per_task", 2),))),
        (hardware("ddp_cpu", devices=3, threads=2), {}, Order(1, 1, 3, (("cpus_per_task", 6),))),
        (hardware("ddp_cpu"), {"nodes": 2}, Order(2, 1, 1, ())),
        (hardware("gpu", devices=1), {}, Order(1, 1, 1, (("gpus_per_node", 1),))),
        (
            hardware("gpu", devices=1),
            {"gres": ["gpu:1", "ssd:1"]},
            Order(1, 1, 1, (("gres", "gpu:1,ssd:1"),)),
        ),
        (
            hardware("ddp", devices=4, num_nodes=2, threads=6),
            {"partition": "big", "hold": False},
            Order(2, 4, 1, (("cpus_per_task", 6), ("gpus_per_node", 4), ("partition", "big"))),
        ),
        (hardware("ddp", num_nodes=2), {"gpus_per_node": 8}, Order(2, 8, 1, (("gpus_per_node", 8),))),
        (hardware("auto"), {}, Order(1, 1, 1, ())),
        (hardware("auto"), {"gpus_per_node": 2}, Order(1, 1, 2, (("cpus_per_task", 2), ("gpus_per_node", 2)))),
    ],
)
def test_resources_follow_from_the_trials_hardware_where_nothing_is_set(
    node: dict[str, Any], given: dict[str, Any], wanted: Order
) -> None:
    assert order_of(node, {"account": None, **given}) == wanted


@pytest.mark.parametrize(
    "given",
    [
        {"gpus_per_node": 4}, {"gpus_per_node": "a100:4"}, {"gpus_per_node": "a100:2,h100:2"}, {"gres": "gpu:4"},
        {"gres": ["gpu:a100:4", "ssd:1"]}, {"gpus": 8}, {"gpus": "a100:8"},
    ],
)  # fmt: skip
def test_gpus_are_counted_however_they_are_asked_for(given: dict[str, Any]) -> None:
    on_two = order_of(hardware("ddp", num_nodes=2), given)
    assert (on_two.nodes, on_two.tasks, on_two.processes) == (2, 4, 1)
    on_one = order_of(hardware("ddp"), {key: 4 if key == "gpus" else value for key, value in given.items()})
    assert (on_one.nodes, on_one.tasks, on_one.processes) == (1, 1, 4)
    assert dict(on_one.parameters)["cpus_per_task"] == 4


def test_equal_trials_share_an_array() -> None:
    assert len({order_of(hardware("cpu", devices=1), {"mem": "4G"}) for _ in range(3)}) == 1


def test_what_does_not_go_together_is_said() -> None:
    (alone,) = faults_of(hardware("cpu", devices=1), {"nodes": 2})
    assert alone.remedy == "Set hardware=ddp_cpu, or launcher.nodes=1"
    (unequal,) = faults_of(hardware("ddp", num_nodes=2), {"nodes": 4})
    assert "hardware.num_nodes is 2" in unequal.truth
    assert list(faults_of(hardware("ddp_cpu"), {"nodes": 2})) == []
    eight = hardware("gpu", devices=8)
    for sbatch in ({"gpus_per_node": 4}, {"gpus_per_node": "a100:4"}, {"gres": ["gpu:h100:4", "ssd:9"]}, {"gpus": 4}):
        (few,) = faults_of(eight, sbatch)
        assert few.truth == "and the trial's hardware.devices is 8."
    assert list(faults_of(eight, {"gpus_per_node": "a100:8", "gres": "ssd:1"})) == []


def test_an_order_reads_like_the_command_line() -> None:
    order = order_of(hardware("gpu", devices=2, threads=3), {"partition": "big"})
    assert str(order) == "--nodes=1 --ntasks-per-node=1 --cpus-per-task=6 --gpus-per-node=2 --partition=big"
