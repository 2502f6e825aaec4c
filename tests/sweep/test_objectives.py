from __future__ import annotations

from dataclasses import replace

import pytest

from espalier.core.errors import ConfigError
from espalier.core.outcome import Cost, Outcome
from espalier.sweep.objectives import Objective, directions, for_search, read_objectives, settle, values_of

OUTCOME = Outcome(
    "done", "n", 0, "", 1, "h", objective="validation/loss", direction="min",
    metrics={"validation/loss": 0.3, "validation/f1_macro": 0.8}, cost=Cost(train_seconds=12.0),
)  # fmt: skip


def test_names_and_directions() -> None:
    read = read_objectives(
        ["auto", "f1_macro", "validation/ece", "cost.train_seconds", "cost.samples_per_second", "x:min"]
    )
    assert read == [
        Objective("auto"),
        Objective("validation/f1_macro", "max"),
        Objective("validation/ece", "min"),
        Objective("cost.train_seconds", "min"),
        Objective("cost.samples_per_second", "max"),
        Objective("validation/x", "min"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wonder"], "Write  wonder:max  or  wonder:min"),
        (["auto", "loss:down"], "ends with down"),
        (["test/accuracy:max"], "which no trial sees"),
        (["cost.train_second:min"], r"no cost.*cost\.train_seconds"),
        (["cost.beauty"], r"There are: cost\.wall_seconds"),
        (["val/accuracy:max"], "no split: val.*validation/accuracy"),
        (["validation/acuracy"], "Did you mean  accuracy"),
        ([], "names none"),
        (["f1", "validation/f1"], "twice"),
    ],
)
def test_what_cannot_be(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_objectives(words)


def test_what_the_task_says_is_known_with_the_first_trial() -> None:
    asked = read_objectives(["auto", "cost.train_seconds:min"])
    known = settle(asked, asked, OUTCOME)
    assert settle(asked, known, OUTCOME) == known
    assert known[0] == Objective("validation/loss", "min")
    assert values_of(known, OUTCOME) == (0.3, 12.0)
    assert directions(asked) == ["max", "min"]
    assert for_search(asked, known, (0.3, 12.0)) == (-0.3, 12.0)


def test_trials_of_another_objective_are_not_compared_with_the_first() -> None:
    asked = read_objectives(["auto", "cost.train_seconds:min"])
    known = settle(asked, asked, OUTCOME)
    with pytest.raises(ConfigError, match=r"auto\].*accuracy of some trials, loss of others.*\[accuracy\]"):
        settle(asked, known, replace(OUTCOME, objective="validation/accuracy", direction="max"))
    with pytest.raises(ConfigError):
        settle(asked, known, replace(OUTCOME, direction="max"))
    named = read_objectives(["accuracy"])
    assert settle(named, named, OUTCOME) == named


def test_a_name_that_no_trial_tells() -> None:
    with pytest.raises(ConfigError, match=r"There are: validation/loss, validation/f1_macro, cost\.train_seconds"):
        values_of(read_objectives(["accuracy", "auto"]), OUTCOME)
