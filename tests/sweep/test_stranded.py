from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from espalier.core.errors import Fault
from espalier.core.launching import Launcher
from espalier.sweep.stranded import Stranded

BIG, SMALL = {"devices": 2}, {"devices": 1}


class Cluster:
    """It has no node with two GPUs; how often it was asked."""

    asked = 0

    def faults(self, jobs: list[Mapping[str, Any]], /) -> list[Fault]:
        self.asked += 1
        return [Fault("hardware.devices=2", "no node has 2.") for job in jobs if job["devices"] == 2]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_two_looks_five_minutes_apart_are_asked_for(cluster: Cluster) -> None:
    now = [0.0]
    stranded = Stranded(cast("Launcher", cluster), lambda: now[0])
    waiting = [(3, BIG), (4, SMALL), (5, BIG)]
    found = []
    for now[0] in map(float, range(0, 700, 50)):
        found.append(stranded.look(waiting))
    assert [(at * 50, over) for at, over in enumerate(found) if over] == [
        (600, dict.fromkeys((3, 5), "hardware.devices=2  no node has 2."))
    ]
    assert cluster.asked == 4, "once for each hardware, and in none of the rounds between"


def test_once_something_is_placed_it_begins_anew(cluster: Cluster) -> None:
    now = [0.0]
    stranded = Stranded(cast("Launcher", cluster), lambda: now[0])
    for now[0] in map(float, range(0, 3000, 50)):
        if now[0] % 500 == 0:
            stranded.moved()
        assert stranded.look([(3, BIG)]) == {}
