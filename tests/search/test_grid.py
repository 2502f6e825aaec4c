from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from espalier.core.searching import Dimension, Point, Told
from espalier.search.grid import Grid
from search.spaces import Mixed, Small


def test_every_point_once_in_order() -> None:
    search = Grid()
    search.start(Small(), ["max"], 0)
    assert search.size() == 6
    search.tell(0, Told("done", (1.0,)))
    assert [search.ask(number) for number in (0, 1, 5, 6)] == [
        {"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 3, "b": "y"}, None
    ]  # fmt: skip
    assert Grid().faults(Small()) == []


def test_an_interval_is_answered_with_the_line_that_adds_a_search() -> None:
    rate, decay = Grid().faults(Mixed())
    assert rate.what == "optimizer.lr=interval(1e-05,0.01)" and decay.what.startswith("optimizer.weight_decay")
    assert "sweep=tpe sweep.trials=20" in rate.remedy


def test_a_grid_goes_on_where_it_was() -> None:
    search = Grid()
    search.start(Small(), ["max"], 0)
    search.replay(0, {"a": 1, "b": "x"}, None)
    assert search.ask(1) == {"a": 1, "b": "y"}


def test_a_grid_does_not_load_optuna() -> None:
    program = "import sys, espalier.search.grid, espalier.sweep.preview; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_a_grid_that_nobody_waits_for_is_answered() -> None:
    class Wide(Small):
        def keys(self, options: Point, /) -> list[Dimension]:
            first, *others = super().keys(options)
            return [replace(first, values=tuple(range(6_000))), *others]

    (fault,) = Grid().faults(Wide())
    assert fault.what == "a" and "sweep=tpe" in fault.remedy
    assert "12,000 combinations; 10,000 are the most" in fault.truth
