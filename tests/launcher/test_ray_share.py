"""What a trial takes of a cluster, and what is free of it."""

from __future__ import annotations

import pytest

from espalier.core.machine import Machine
from espalier.launcher.ray_share import Asked, Free, Share, holds, largest

AUTO = Asked(None, None, None, {}, None)
CPU = {"_target_": "espalier.hardware.cpu.cpu", "devices": 1, "threads": "auto"}
DDP_CPU = {"_target_": "espalier.hardware.ddp_cpu.ddp_cpu", "devices": "auto", "threads": "auto"}
GPU = {"_target_": "espalier.hardware.gpu.gpu", "devices": 2, "threads": "auto"}
DDP = {"_target_": "espalier.hardware.ddp.ddp", "devices": 4, "num_nodes": 2, "threads": 3}
NODE = Machine(32, 8, False)


@pytest.fixture(autouse=True)
def _no_word_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


def one(**bundle: float) -> Share:
    return Share(1, 1, 1, bundle)


@pytest.mark.parametrize(
    ("asked", "hardware", "share"),
    [
        (AUTO, CPU, Share(1, 1, 1, {"CPU": 1.0})),
        (AUTO, {**CPU, "threads": 4}, Share(1, 1, 4, {"CPU": 4.0})),
        (AUTO, DDP_CPU, Share(1, 2, 1, {"CPU": 2.0})),
        (AUTO, GPU, Share(1, 2, 1, {"CPU": 2.0, "GPU": 2.0})),
        (AUTO, DDP, Share(2, 4, 3, {"CPU": 12.0, "GPU": 4.0})),
        (Asked(8, None, None, {}, None), GPU, Share(1, 2, 4, {"CPU": 8, "GPU": 2.0})),
        (Asked(None, 0.5, 2.0, {"big": 1}, None), {**GPU, "devices": 1},
         Share(1, 1, 1, {"CPU": 1.0, "GPU": 0.5, "memory": 2.0**31, "big": 1})),
        (Asked(None, None, None, {}, 3), DDP_CPU, Share(3, 1, 1, {"CPU": 1.0})),
        (Asked(None, None, None, {}, 3), {**DDP_CPU, "devices": 2}, Share(3, 2, 1, {"CPU": 2.0})),
        (Asked(0.5, 1, None, {}, None), CPU, Share(1, 1, 1, {"CPU": 0.5})),
    ],
)  # fmt: skip
def test_a_share_follows_from_the_hardware_and_the_keys(
    asked: Asked, hardware: dict[str, object], share: Share
) -> None:
    assert asked.share(hardware, NODE) == share


def test_threads_that_the_user_has_set_for_this_shell_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert AUTO.share(CPU, NODE) == Share(1, 1, 4, {"CPU": 4.0})


def test_a_share_in_words() -> None:
    assert str(Share(1, 1, 1, {"CPU": 2.0, "GPU": 0.5, "memory": 3 * 2.0**30})) == "2 CPU, 0.5 GPU, 3 GiB"


def test_own_trials_count_at_once_and_are_free_at_once() -> None:
    free = Free(lambda: [{"CPU": 2.0}], None)
    assert free.has(one(CPU=1.0))
    free.take("a", one(CPU=1.0))
    free.take("b", one(CPU=1.0))
    assert not free.has(one(CPU=1.0))
    free.give("a")
    assert free.has(one(CPU=1.0))
    assert not free.has(one(CPU=2.0))


def test_what_others_have_is_read_while_nothing_of_ours_changes() -> None:
    now, free_by_ray = [0.0], [{"CPU": 4.0}]
    free = Free(lambda: [{"CPU": 4.0}], lambda: free_by_ray[0], lambda: now[0])
    assert free.has(one(CPU=4.0))
    free.take("a", one(CPU=1.0))
    now[0], free_by_ray[0] = 1.5, {"CPU": 1.0}  # Ray's count of ours may be late: it says nothing of others yet
    assert free.has(one(CPU=3.0))
    now[0] = 5.0  # by now it is of others: two
    assert free.has(one(CPU=1.0))
    assert not free.has(one(CPU=2.0))
    free.give("a")
    assert free.has(one(CPU=2.0))
    assert not free.has(one(CPU=3.0))


def test_a_node_that_is_lost_is_not_counted() -> None:
    now, nodes = [0.0], [[{"CPU": 1.0}, {"CPU": 1.0}]]
    free = Free(lambda: nodes[0], None, lambda: now[0])
    assert free.has(Share(2, 1, 1, {"CPU": 1.0}))
    nodes[0], now[0] = [{"CPU": 1.0}], 2.0
    assert not free.has(Share(2, 1, 1, {"CPU": 1.0}))
    assert free.has(one(CPU=1.0))


@pytest.mark.parametrize(
    ("share", "places"),
    [(one(CPU=1.0), 7), (one(CPU=2.0), 3), (Share(2, 1, 1, {"CPU": 1.0}), 3), (Share(2, 2, 1, {"CPU": 2.0}), 1),
     (Share(3, 1, 1, {"CPU": 1.0}), 1), (one(GPU=1.0), 0)],
)  # fmt: skip
def test_places_of_an_empty_cluster(share: Share, places: int) -> None:
    assert Free(lambda: [{"CPU": 4.0}, {"CPU": 2.0}, {"CPU": 1.0}], None).places(share) == places


def test_the_largest_machine() -> None:
    assert largest([{"CPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}]) == Machine(4, 1, False)
    assert largest([]) == Machine(0, 0, False)
    assert holds({"CPU": 2.0}, one(CPU=1.0), 2)
