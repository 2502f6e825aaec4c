from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from optuna.samplers._tpe.sampler import _split_trials
from optuna.trial import TrialState

from espalier.core.searching import Dimension, Point, Told, identity
from espalier.search import common
from espalier.search.cmaes import CmaEs
from espalier.search.common import OptunaSearch
from espalier.search.random import Random
from espalier.search.tpe import Tpe
from search.spaces import Mixed, Small


def test_a_space_that_ends_gives_each_point_once_and_then_none() -> None:
    search = Random()
    search.start(Small(), ["max"], 0)
    points = [search.ask(number) for number in range(8)]
    assert len({identity(point) for point in points if point}) == 6
    assert points[6:] == [None, None]
    assert search.size() == 6


def test_so_it_does_where_the_sampler_would_propose_the_best_for_ever() -> None:
    search = Tpe(startup=1, candidates=24)
    search.start(Small(), ["max"], 0)
    for number in range(6):
        point = search.ask(number)
        assert point is not None
        search.tell(number, Told("done", (float(point == {"a": 1, "b": "x"}),)))
    assert search.ask(6) is None


def test_what_was_replayed_is_not_asked_again() -> None:
    search = Random()
    search.start(Small(), ["max"], 0)
    for number, (a, b) in enumerate([(1, "x"), (2, "x"), (3, "x"), (1, "y"), (2, "y")]):
        search.replay(number, {"a": a, "b": b}, Told("done", (0.5,)))
    assert search.ask(5) == {"a": 3, "b": "y"}


def test_each_state_as_optuna_has_it() -> None:
    search = Random()
    search.start(Mixed(), ["max"], 0)
    said = [
        Told("done", (0.5,)), Told("pruned", (0.25,)), Told("pruned"), Told("infeasible"), Told("failed"),
        Told("done", (float("nan"),)), Told("done"),
    ]  # fmt: skip
    for number, what in enumerate(said):
        search.ask(number)
        search.tell(number, what)
    states = [trial.state for trial in search.study.trials]
    complete, pruned, fail = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
    assert states == [complete, pruned, pruned, pruned, fail, fail, fail]
    assert search.study.trials[1].intermediate_values == {0: 0.25}


@pytest.mark.parametrize("word", [Told("done", (0.75,)), Told("failed"), Told("pruned", (0.5,), 9)])
@pytest.mark.parametrize("make", [lambda: Tpe(startup=2, candidates=4), lambda: CmaEs(population=None, sigma=None)])
def test_the_last_word_counts(make: Callable[[], OptunaSearch], word: Told) -> None:
    """A trial that was cut may go on, and be done: then the search is as if that had been said at once."""
    late, early = make(), make()
    for search in (late, early):
        search.start(Mixed(), ["max"], 0)
        for number in range(8):
            search.ask(number)
        for number in (0, 1, 3, 4, 5, 6):
            search.tell(number, Told("done", (number / 10,)))
    late.tell(2, Told("pruned", (0.25,), 1))
    late.tell(2, word)
    early.tell(2, word)
    told = [
        [(trial.state, trial.params, trial.values, trial.intermediate_values) for trial in search.study.trials]
        for search in (late, early)
    ]
    assert told[0] == told[1]
    assert late.ask(8) == early.ask(8)


def test_cut_trials_are_compared_after_equally_many_validations() -> None:
    """Optuna holds the one that came farther for the better one; of those, the one with the better value."""
    search = Tpe(startup=1, candidates=4)
    search.start(Mixed(), ["max"], 0)
    for number, (value, validations) in enumerate([(0.9, 1), (0.5, 9), (0.6, 9)]):
        search.ask(number)
        search.tell(number, Told("pruned", (value,), validations))
    below, _ = _split_trials(search.study, search.study.trials, 1)
    assert [trial.number for trial in below] == [2]


def test_who_does_not_learn_keeps_the_first_word() -> None:
    search = Random()
    search.start(Mixed(), ["max"], 0)
    search.ask(0)
    search.tell(0, Told("pruned", (0.25,)))
    search.tell(0, Told("done", (0.75,)))
    assert search.study.trials[0].state is TrialState.PRUNED


def test_most_leave_nothing_out() -> None:
    assert Tpe(startup=1, candidates=4).beside(Mixed()) == Random().beside(Mixed()) == []


def test_directions() -> None:
    search = Tpe(startup=2, candidates=4)
    search.start(Mixed(), ["min", "max"], 0)
    for number in range(6):
        search.ask(number)
        search.tell(number, Told("done", (1.0 - number, 1.0)) if number % 2 else Told("pruned", (0.1, 0.2)))
    assert search.study.best_trials[0].values == [-4.0, 1.0]


def test_several_ask_at_once_and_are_proposed_different_points() -> None:
    search = Tpe(startup=1, candidates=24)
    search.start(Mixed(), ["max"], 0)
    points = [search.ask(number) for number in range(8)]
    assert len({identity(point) for point in points if point}) == 8


def test_missing_packages_and_nothing_to_search_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def options(self) -> Sequence[Dimension]:
            return []

        def keys(self, options: Point, /) -> Sequence[Dimension]:
            return []

    monkeypatch.setattr(common, "find_spec", lambda module: None)
    monkeypatch.setattr(Random, "needs", ("scipy",))
    missing, nothing = Random().faults(Nothing())
    assert missing.what == "search=random" and "pip install 'espalier[search]'" in missing.remedy
    assert "nothing to search" in nothing.truth


@pytest.mark.parametrize("make", [Random, lambda: Tpe(startup=2, candidates=8)])
def test_numbers_are_such_as_people_type(make: Callable[[], OptunaSearch]) -> None:
    search = make()
    search.start(Mixed(), ["max"], 0)
    for number in range(12):
        point = search.ask(number)
        assert point is not None and type(point["optimizer.lr"]) is float
        assert len(f"{point['optimizer.lr']:e}".rstrip("0").partition("e")[0].replace(".", "").rstrip("0")) <= 5
        assert 1e-5 <= point["optimizer.lr"] <= 1e-2
        assert search.study.trials[-1].params["optimizer.lr"] == point["optimizer.lr"]
        assert json.loads(json.dumps(point)) == point
        search.tell(number, Told("done", (float(number),)))
