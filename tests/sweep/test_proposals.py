"""What a search hears, and that one that is made anew hears the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from espalier.core.launching import Ended
from espalier.core.record import Record, TrialRecord, read_record
from espalier.core.searching import Point, Told
from espalier.pruning.asha import Asha
from espalier.search.grid import Grid
from espalier.sweep.objectives import Objective, read_objectives
from espalier.sweep.proposals import Proposals
from sweep.simulation import Life, Simulated, Time, choices, driver, light  # noqa: F401

pytestmark = pytest.mark.usefixtures("light")
AUTO = read_objectives(["auto"])


class Listening(Grid):
    """A grid that remembers the last word on each point."""

    def __init__(self, *points: Point) -> None:
        super().__init__()
        self._points = list(points)
        self.heard: dict[int, Told | None] = {}
        self.words = 0

    def tell(self, number: int, told: Told, /) -> None:
        self.heard[number] = told
        self.words += 1

    def replay(self, number: int, point: Point, told: Told | None, /) -> None:
        assert point == self._points[number]
        self.heard[number] = told


def trials(*rows: Mapping[str, Any]) -> dict[int, TrialRecord]:
    """Each of its own configuration unless it says otherwise."""
    made = [
        TrialRecord(**{"trial": n, "configuration": n, "point": {"x": n}, "seed": 0, "words": (), "name": "", **row})
        for n, row in enumerate(rows)
    ]
    return {trial.trial: trial for trial in made}


def proposals(many: int, most: int | None = None) -> tuple[Proposals, Listening]:
    search = Listening(*({"x": n} for n in range(many)))
    return Proposals(search, most, AUTO), search


def test_asked_until_the_search_or_the_sweep_has_enough() -> None:
    for many, most, total in ((3, None, 3), (3, 2, 2), (2, 5, 2)):
        asking, _ = proposals(many, most)
        assert asking.total() == total
        found = [asking.next(10 + n) for n in range(4)]
        assert found == [{"x": n} if n < total else None for n in range(4)]
        assert (asking.asked, asking.is_over, asking.total()) == ([10 + n for n in range(total)], True, total)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"state": "done", "values": (0.5,)}, Told("done", (0.5,))),
        ({"state": "failed"}, Told("failed")),
        ({"state": "infeasible"}, Told("infeasible")),
        ({"state": "paused", "rungs": ((1, 0.3), (3, 0.4))}, Told("pruned", (0.4,), 3)),
        ({"state": "stopped", "rungs": ((1, 0.3),)}, Told("pruned", (0.3,), 1)),
        ({"state": "paused", "rungs": ((1, None),)}, Told("pruned", (), 1)),
        ({"state": "running", "rungs": ((1, 0.3),)}, None),
        ({"state": "planned"}, None),
    ],
)
def test_what_is_told_of_a_trial(row: Mapping[str, Any], told: Told | None) -> None:
    asking, search = proposals(1)
    asking.next(0)
    rows = trials(row)
    asking.tell(rows, rows[0], AUTO)
    assert search.heard.get(0) == told
    anew, again = proposals(1)
    anew.take_up(rows, AUTO)
    assert again.heard == {0: told}


def test_of_several_objectives_or_of_a_cost_a_cut_trial_has_no_value() -> None:
    rows = trials({"state": "stopped", "rungs": ((1, 0.3),)})
    for words in (["auto", "cost.wall_seconds"], ["cost.wall_seconds"]):
        objectives = read_objectives(words)
        search = Listening({"x": 0})
        asking = Proposals(search, None, objectives)
        asking.take_up(rows, objectives)
        assert search.heard == {0: Told("pruned", (), 1)}


def test_auto_is_told_so_that_bigger_is_better() -> None:
    asking, search = proposals(2)
    rows = trials({"state": "done", "values": (0.2,)}, {"state": "paused", "rungs": ((1, 0.3),)})
    asking.take_up(rows, [Objective("validation/loss", "min")])
    assert search.heard == {0: Told("done", (-0.2,)), 1: Told("pruned", (-0.3,), 1)}


def test_equal_ones_hear_the_same_and_further_seeds_are_not_the_searchs(tmp_path: Path) -> None:
    rows = trials(
        {"state": "done", "values": (0.5,)}, {"state": "duplicate", "same_as": 0},
        {"state": "done", "values": (0.9,), "configuration": 0, "seed": 1, "point": {"x": 0}},
        {"state": "duplicate", "same_as": 2, "configuration": 1, "seed": 1, "point": {"x": 1}},
        {"state": "planned", "point": {"x": 2}},
    )  # fmt: skip
    asking, search = proposals(3)
    asking.take_up(rows, AUTO)
    assert asking.asked == [0, 1, 4]
    assert search.heard == {0: Told("done", (0.5,)), 1: Told("done", (0.5,)), 2: None}
    asking.tell(rows, rows[0], AUTO)
    assert search.words == 0  # it has heard that


def test_a_trial_that_was_cut_and_went_on_is_told_in_the_end_as_done(tmp_path: Path) -> None:
    """The search of an undisturbed sweep has heard what one that is made anew from its record hears."""
    last = [0.9, 0.8, 0.7, 0.1, 0.2, 0.95]

    def life(number: int, _: int) -> Life:
        return Life([last[number]] * 9, ends="failed" if number == 5 else "done", ended=Ended(int(number == 5)))

    launcher = Simulated(Time(), 1, life)
    space, search = choices(*map(float, range(6))), Listening()
    driver(tmp_path, launcher, space, search=search, pruning=Asha(min_validations=1, reduction=2)).run()
    states = {trial.trial: trial.state for trial in read_record(tmp_path)}
    assert {number: told.state for number, told in search.heard.items() if told} == {
        number: "pruned" if state == "stopped" else state for number, state in states.items()
    }
    assert states[5] == "failed" and "done" in states.values()
    anew = Listening()
    sweep = driver(tmp_path / "again", launcher, space, search=anew)
    sweep.proposals.take_up({trial.trial: trial for trial in read_record(tmp_path)}, sweep.objectives)
    assert anew.heard == search.heard
    record = Record(tmp_path)
    assert [number for number, trial in record.trials.items() if trial.state == "done" and trial.attempts > 1]
    record.close()
