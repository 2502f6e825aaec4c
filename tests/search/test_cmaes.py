from __future__ import annotations

import pytest

from espalier.core.errors import ConfigError
from espalier.core.searching import Told
from espalier.search.cmaes import CmaEs
from search.spaces import Mixed, Small, best_of, history, learned, proposes_the_same_after_a_replay


def cmaes() -> CmaEs:
    return CmaEs(population=None, sigma=None)


def test_it_comes_near_the_best() -> None:
    assert best_of(cmaes(), 100) > 1.05


def test_a_replay_of_one_trial_after_the_other_goes_on_with_the_same_points() -> None:
    assert proposes_the_same_after_a_replay(cmaes, 40, ahead=0)


def test_what_its_model_leaves_out_is_said_and_learned_all_the_same() -> None:
    assert cmaes().beside(Mixed()) == ["adapter", "callback", "adapter.rank"]
    assert cmaes().beside(Small()) == ["b"]  # ``a`` is a choice of rising numbers
    assert learned(cmaes(), 60, 30) > 0.85


def test_a_replay_takes_up_the_points_and_goes_on() -> None:
    first, second = cmaes(), cmaes()
    first.start(Mixed(), ["max"], 0)
    done = history(first, 24)
    second.start(Mixed(), ["max"], 0)
    for number, (point, what) in enumerate(done):
        second.replay(number, point, what)
    told = [(trial.params, trial.values) for trial in second.study.trials if trial.state.name == "COMPLETE"]
    expected = [point["optimizer.lr"] for point, what in done if what.state == "done"]
    assert [params["optimizer.lr"] for params, _ in told] == expected
    generations = [trial.system_attrs.get("cma:generation") for trial in second.study.trials]
    assert generations[-1] == 2, "it has learned from the trials that were taken up"
    assert second.ask(24) is not None


def test_one_objective_and_two_numbers_at_least() -> None:
    with pytest.raises(ConfigError, match="one objective"):
        cmaes().start(Mixed(), ["max", "min"], 0)
    (fault,) = cmaes().faults(Small())
    assert "two keys" in fault.truth
    assert cmaes().faults(Mixed()) == []


def test_numbers_to_choose_from_are_taken_by_their_place() -> None:
    search = cmaes()
    search.start(Small(), ["max"], 0)
    point = search.ask(0)
    assert point is not None and point["a"] in (1, 2, 3) and point["b"] in ("x", "y")
    search.tell(0, Told("done", (1.0,)))
