from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from espalier.report.sweep_read import Objective
from espalier.report.sweep_study import Row, Shown, quiet, study_of

UP = Objective("validation/accuracy", "max")


def test_numbers_words_and_what_is_not_there() -> None:
    rows = [
        Row(0, {"adapter": "lora", "lr": 1e-4, "r": 8, "size": None}, (0.5,)),
        Row(1, {"adapter": "probe", "lr": 1e-2, "size": 3}, (0.6,)),
        Row(3, {"adapter": "lora", "lr": 1e-3, "r": 16, "size": [1, 2]}, (0.7,)),
    ]
    study = study_of(rows, [UP], ["adapter", "lr", "r", "size"])
    assert [trial.state for trial in study.trials] == [
        TrialState.COMPLETE,
        TrialState.COMPLETE,
        TrialState.FAIL,
        TrialState.COMPLETE,
    ]
    assert study.best_trial.number == 3 and "r" not in study.trials[1].params
    spaces = study.trials[3].distributions
    assert spaces["lr"] == optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True)
    assert spaces["r"] == optuna.distributions.IntDistribution(8, 16)
    assert study.trials[3].params["size"] == "[1, 2]" and study.trials[0].params["size"] == "null"


def test_truth_values_are_words_and_words_are_shown_as_typed() -> None:
    study = study_of([Row(0, {"x": True}, (1.0,)), Row(1, {"x": 1}, (2.0,))], [UP], ["x"])
    assert [trial.params["x"] for trial in study.trials] == ["true", "1"]
    assert repr(Shown("lora")) == "lora"


def test_rates_from_nought_are_not_looked_at_by_their_logarithm() -> None:
    study = study_of([Row(0, {"x": 0.0}, (1.0,)), Row(1, {"x": 0.1}, (2.0,))], [UP], ["x"])
    assert study.trials[0].distributions["x"] == optuna.distributions.FloatDistribution(0, 0.1)


def test_several_objectives_have_a_front() -> None:
    rows = [Row(0, {}, (0.9, 10.0)), Row(1, {}, (0.8, 5.0)), Row(2, {}, (0.7, 7.0))]
    study = study_of(rows, [UP, Objective("cost.train_seconds", "min")], [])
    assert [trial.number for trial in study.best_trials] == [0, 1]


def test_optuna_is_as_loud_again_as_it_was() -> None:
    before = optuna.logging.get_verbosity()
    with pytest.raises(ValueError), quiet():
        assert optuna.logging.get_verbosity() == optuna.logging.ERROR
        raise ValueError
    assert optuna.logging.get_verbosity() == before


def test_a_key_that_nobody_has_is_none() -> None:
    assert study_of([], [UP], ["x"]).trials == []
    assert study_of([Row(0, {}, (1.0,))], [UP], ["x"]).trials[0].params == {}
