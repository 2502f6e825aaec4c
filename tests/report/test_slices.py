from __future__ import annotations

from dataclasses import replace

import numpy as np

from espalier.report.predictions import MultiLabel, Predictions
from espalier.report.slices import slices_of, worst_slice

TARGET = np.arange(40) % 2
ANSWERS = Predictions(
    row=np.arange(40),
    target=TARGET,
    prediction=np.where(np.arange(40) < 10, 1 - TARGET, TARGET),  # the first ten are wrong
    scores=np.full((40, 2), 0.5),
    length=np.arange(40) + 1,
    slices={"channel": np.array(["mail"] * 10 + ["chat"] * 27 + ["fax"] * 3)},
)


def test_a_column_tells_rows_apart_the_weakest_first() -> None:
    channel = slices_of(ANSWERS, ["no", "yes"])["channel"]
    assert [(one.name, one.rows, one.accuracy) for one in channel] == [("mail", 10, 0), ("chat", 27, 1), ("fax", 3, 1)]


def test_lengths_are_quartiles_from_short_to_long() -> None:
    quartiles = slices_of(ANSWERS, ["no", "yes"])["length"]
    assert [one.name for one in quartiles] == [
        "1 to 10 tokens",
        "11 to 20 tokens",
        "21 to 30 tokens",
        "31 to 40 tokens",
    ]
    assert [one.accuracy for one in quartiles] == [0, 1, 1, 1] and sum(one.rows for one in quartiles) == 40


def test_rows_of_one_length_are_no_slices() -> None:
    assert set(slices_of(replace(ANSWERS, length=np.full(40, 7), slices={}), ["no", "yes"])) == {"label"}


def test_the_worst_has_rows_enough_to_say_so() -> None:
    few = {"channel": np.array(["fax"] * 3 + ["mail"] * 37)}
    worst = worst_slice(slices_of(replace(ANSWERS, length=None, slices=few), ["no", "yes"]))
    assert worst is not None and (worst.of, worst.name, worst.rows) == ("label", "no", 20)
    assert worst_slice({}) is None


def test_of_slices_that_are_alike_none_is_the_worst() -> None:
    alike = slices_of(replace(ANSWERS, prediction=TARGET), ["no", "yes"])
    assert alike and worst_slice(alike) is None


def test_a_row_of_several_labels_belongs_to_each() -> None:
    target = np.array([[1, 1], [1, 0], [0, 1]])
    answers = MultiLabel(
        row=np.arange(3), target=target, prediction=np.array([[1, 1], [1, 1], [0, 1]]), scores=target * 0.9
    )
    assert [(one.name, one.rows, one.accuracy) for one in slices_of(answers, ["a", "b"])["label"]] == [
        ("a", 2, 0.5),
        ("b", 2, 1),
    ]
