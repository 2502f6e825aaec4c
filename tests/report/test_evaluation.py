from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.core.counted import Counted, Counts, mean
from espalier.report.evaluation import (
    Evaluated,
    against_dict,
    against_lines,
    differences_of,
    evaluation_lines,
    pairing,
    place_of,
)
from espalier.report.predictions import Predictions
from report.run_files import outcome_of

TARGET = np.arange(200) % 2


def evaluated(wrong: int, run: str = "outputs/a", rows: int = 200) -> Evaluated:
    prediction = np.where(np.arange(200) < wrong, 1 - TARGET, TARGET)[:rows]
    answers = Predictions(
        row=np.arange(rows), target=TARGET[:rows], prediction=prediction, scores=np.eye(2)[prediction],
        slices={"channel": np.array(["mail"] * 60 + ["chat"] * 140)[:rows]},
    )  # fmt: skip
    accuracy = float((prediction == TARGET[:rows]).mean())
    outcome = outcome_of(data={"labels": ["no", "yes"]})
    metrics = {"accuracy": accuracy, "loss": float("nan"), "f1_micro": accuracy}
    return Evaluated(run, outcome, "test", "new.csv", "f", "texts", metrics, {"accuracy": (0.1, 0.9)}, answers)


def test_lines_say_which_rows_the_metrics_and_the_slices_the_weakest_named() -> None:
    told = evaluation_lines(evaluated(30))
    assert told[0] == "outputs/a   200 texts: new.csv (test)"
    assert "accuracy   0.850   [0.100, 0.900]" in told
    assert not any(line.startswith("F1") for line in told)  # it would only repeat the accuracy
    assert any(line.split()[:4] == ["channel", "mail", "60", "0.500"] for line in told)
    assert told[-1].startswith("weakest   channel mail: accuracy 0.500 [0.377, 0.623] on 60 rows")


def test_rows_that_a_model_was_trained_on_are_told() -> None:
    first, second = replace(evaluated(30), seen=12), replace(evaluated(40, "outputs/b"), seen=0)
    said = "seen   12 of these rows stood in the training of "
    assert evaluation_lines(first)[1] == f"{said}this run: what it remembers is no test of it"
    assert against_lines(first, second)[3] == f"{said}A: what it remembers is no test of it"
    assert not any("seen" in line for line in against_lines(second, second) + evaluation_lines(evaluated(30)))
    assert first.as_dict()["seen_in_training"] == 12 and evaluated(30).as_dict()["seen_in_training"] is None


def test_a_task_without_labels_has_metrics_alone() -> None:
    told = evaluation_lines(replace(evaluated(0), answers=None))
    assert told[0] == "outputs/a   new.csv (test)" and not any("slice" in line for line in told)
    assert "95% interval" in told[2]
    told = evaluation_lines(replace(evaluated(0), answers=None, intervals={}))
    assert told[2].split() == ["test"] and told[3] == "accuracy   1.000"


def test_many_labels_are_cut_in_the_terminal_and_whole_in_the_record() -> None:
    target = np.repeat(np.arange(12), 20)
    answers = Predictions(row=np.arange(240), target=target, prediction=target, scores=np.eye(12)[target])
    found = replace(evaluated(0), answers=answers, outcome=outcome_of(data={"labels": list("abcdefghijkl")}))
    assert any("… 6 better ones" in line for line in evaluation_lines(found))
    assert len(found.as_dict()["slices"]) == 12


def test_the_record_is_json_without_nan() -> None:
    record = evaluated(30).as_dict()
    assert record["metrics"]["loss"] == "nan" and record["rows"] == 200
    assert record["weakest"]["name"] == "mail"


def test_two_runs_side_by_side_with_a_verdict() -> None:
    told = against_lines(evaluated(10), evaluated(40, "outputs/b"))
    assert told[:2] == ["A   outputs/a", "B   outputs/b"]
    (accuracy,) = (line for line in told if line.startswith("accuracy"))
    assert accuracy.split()[-1] == "+0.150"
    assert told[-1].startswith("A is better than B by 15.0 points of accuracy [")
    (mail,) = (line for line in told if line.startswith("channel   mail"))
    assert mail.split() == ["channel", "mail", "60", "0.833", "0.333", "+0.500"]
    paired = against_dict(evaluated(10), evaluated(40))["paired"]
    assert (paired["only_first"], paired["only_second"]) == (30, 0)
    assert paired["difference"] == pytest.approx(0.15)


def test_slices_of_two_are_the_firsts_whatever_the_order_of_rows() -> None:
    first, second = evaluated(10), evaluated(40)
    assert second.answers is not None
    turned = {name: getattr(second.answers, name)[::-1] for name in ("row", "target", "prediction", "scores")}
    bare = replace(second, answers=replace(second.answers, **turned, slices={}))
    assert against_lines(first, bare) == against_lines(first, second)


def test_other_rows_are_not_paired() -> None:
    assert pairing(evaluated(1), evaluated(1, rows=150)) is None
    assert against_lines(evaluated(1), evaluated(1, rows=150))[-1].startswith("no paired test")


def test_metrics_of_other_tokens_are_not_held_against_each_other() -> None:
    metrics = {"loss": Counted(mean, "min"), "exact": Counted(mean)}
    rows, ones = np.arange(40), np.ones(40)
    loss, exact = np.linspace(1, 3, 40), (np.arange(40) % 2).astype(float)

    def answered(tokens: float, better: float = 0.0, numbers: Any = rows) -> Evaluated:
        counts = {"loss": np.stack([(loss - better) * tokens, tokens * ones], 1), "exact": np.stack([exact, ones], 1)}
        return replace(evaluated(0), answers=None, counts=Counts(numbers, counts, metrics))

    assert set(differences_of(answered(9), answered(9, 0.5))) == {"loss", "exact"}
    assert set(differences_of(answered(9), answered(7))) == {"exact"}
    assert against_lines(answered(9), answered(7))[-1] == "no paired test of loss: the two count other tokens"
    cut = against_lines(answered(9), answered(9, numbers=rows + 1))
    assert cut[-1] == "no paired test: the two cut these texts into other rows"


def test_evaluations_against_trials_of_one_number_have_their_own_folders() -> None:
    run, trials = Path("o/n/run"), [Path("o/n") / sweep / "trials" / "003" for sweep in ("s-1", "s-2")]
    places = [place_of(run, "test", against).name for against in (None, Path("o/n/other"), *trials)]
    assert places == ["test", "test-against-other", "test-against-s-1-003", "test-against-s-2-003"]
