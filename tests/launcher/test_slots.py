from __future__ import annotations

from typing import Any

import pytest

from espalier.core.machine import Machine
from espalier.launcher.slots import Slot, Slots


def slots(cpus: int = 2, gpus: int = 0, **settings: Any) -> Slots:
    names = [str(number) for number in range(gpus)]
    given = {"trials": None, "gpus_per_trial": 1, "trials_per_gpu": 1, "threads": None, "most": 100} | settings
    return Slots(Machine(cpus, gpus, False), names, **given)


def cpu(**settings: Any) -> dict[str, Any]:
    return {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"} | settings


def ddp_cpu(devices: int) -> dict[str, Any]:
    return cpu(_target_="espalier.hardware.ddp_cpu.ddp_cpu", devices=devices)


def auto(**settings: Any) -> dict[str, Any]:
    return cpu(_target_="espalier.hardware.auto.auto", devices="auto") | settings


@pytest.mark.parametrize(
    ("cpus", "places", "threads"), [(1, 1, 1), (2, 2, 1), (4, 4, 1), (6, 4, 1), (8, 4, 2), (16, 4, 4), (64, 16, 4)]
)
def test_cores_are_divided_and_never_taken_twice(cpus: int, places: int, threads: int) -> None:
    made = slots(cpus)
    assert (made.places, made.threads) == (places, threads)
    assert made.places * made.threads <= cpus


def test_memory_may_have_room_for_fewer() -> None:
    assert (slots(16, most=2).places, slots(16, most=2).threads) == (2, 8)


def test_what_is_set_is_obeyed() -> None:
    assert (slots(8, trials=2).places, slots(8, trials=2).threads) == (2, 4)
    assert (slots(8, threads=2).places, slots(8, threads=2).threads) == (4, 2)
    assert (slots(2, trials=5).places, slots(2, trials=5).threads) == (5, 1)


def test_places_are_given_away_once_and_come_back() -> None:
    made = slots(2)
    taken = []
    while slot := made.find(cpu()):
        made.take(slot)
        taken.append(slot)
    assert [str(slot) for slot in taken] == ["cpu:0", "cpu:1"] == made.names()
    made.free(taken[0])
    again = made.find(cpu())
    assert again == taken[0]
    assert again.environment()["OMP_NUM_THREADS"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in again.environment()


def test_several_processes_take_several_places_and_divide_their_threads() -> None:
    two = slots(8, trials=2)
    assert two.find(ddp_cpu(2)) == Slot("cpu", (0, 1), 4)
    assert two.find(ddp_cpu(4)) == Slot("cpu", (0, 1), 2)
    assert slots(2, trials=1).find(ddp_cpu(2)) == Slot("cpu", (0,), 1)
    made = slots(2)
    made.take(Slot("cpu", (1,), 1))
    assert made.find(ddp_cpu(2)) is None
    assert made.find(cpu()) == Slot("cpu", (0,), 1)


def test_threads_that_a_trial_sets_are_counted() -> None:
    made = slots(4)
    assert made.find(cpu(threads=3)) == Slot("cpu", (0, 1, 2), 3)
    assert str(made.fault(cpu(threads=5))).startswith("hardware.threads=5  takes 5 threads")
    assert made.fault(cpu(threads=4)) is None


def test_each_gpu_is_a_place() -> None:
    made = slots(16, 4)
    assert (made.places, made.threads, made.names()) == (4, 4, ["gpu:0", "gpu:1", "gpu:2", "gpu:3"])
    for name in "0123":
        slot = made.find(auto())
        assert slot is not None and slot.gpus == (name,) and str(slot) == f"gpu:{name}"
        assert slot.environment()["CUDA_VISIBLE_DEVICES"] == name
        made.take(slot)
    assert made.find(auto()) is None


def test_gpus_are_joined() -> None:
    made = slots(16, 4, gpus_per_trial=2)
    assert (made.places, made.threads, made.names()) == (2, 8, ["gpu:0+1", "gpu:2+3"])
    first = made.find(auto())
    assert first == Slot("gpu", (0,), 4, ("0", "1"))
    made.take(first)
    assert made.find(auto(devices=4)) is None
    assert made.find(auto(devices=1)) == Slot("gpu", (1,), 8, ("2",))


def test_a_trial_that_says_how_many_takes_them() -> None:
    made = slots(8, 4)
    assert made.find(auto(devices=3)) == Slot("gpu", (0, 1, 2), 2, ("0", "1", "2"))
    assert str(made.fault(auto(devices=5))).startswith("hardware.devices=5  asks for more than this machine has")
    assert slots(8, 1, gpus_per_trial=2).fault(auto()) is not None


def test_gpus_are_shared_evenly() -> None:
    made = slots(8, 2, trials_per_gpu=2)
    given = []
    while slot := made.find(auto()):
        made.take(slot)
        given.append(slot.gpus[0])
    assert given == ["0", "1", "0", "1"]
    assert made.names() == ["gpu:0", "gpu:1", "gpu:0", "gpu:1"]


def test_a_trial_on_the_cpu_leaves_gpus_alone_and_takes_a_place() -> None:
    made = slots(8, 2)
    slot = made.find(cpu())
    assert slot == Slot("cpu", (0,), 4)
    made.take(slot)
    assert made.find(auto()) == Slot("gpu", (1,), 4, ("0",))


def test_other_machines_are_not_here() -> None:
    fault = slots(8, 2).fault(auto(num_nodes=2))
    assert fault is not None and "launcher=slurm" in fault.remedy
