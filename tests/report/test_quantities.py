from __future__ import annotations

import math

import pytest

from espalier.report import quantities as say


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.87412, "0.874"),
        (0.0312, "0.031"),
        (0.0032, "0.0032"),
        (0.00021, "0.00021"),
        (0, "0.000"),
        (31.24, "31.2"),
        (12345.6, "12,346"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (9.9997, "10.0"),
        (999.97, "1,000"),
    ],
)
def test_a_metric_has_three_digits_that_matter(number: float, words: str) -> None:
    assert say.value(number) == words


def test_both_ends_of_an_interval_have_the_same_decimals() -> None:
    assert say.interval((0.0032, 0.055)) == "[0.003, 0.055]"
    assert say.ends((0.8584, 0.8891)) == ("0.858", "0.889")
    assert say.ends((math.nan, 0.5)) == ("NaN", "0.500")


@pytest.mark.parametrize(
    ("size", "words"), [(1_130_000_000, "1.1 GB"), (340_000_000, "340 MB"), (999_700_000, "1.0 GB")]
)
def test_memory_is_in_decimal_units(size: int, words: str) -> None:
    assert say.memory(size) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (9_610, "9,610"),
        (101_770, "0.10 M"),
        (344_850, "0.34 M"),
        (22_713_216, "22.7 M"),
        (109_482_240, "109 M"),
        (1_240_000_000, "1.24 B"),
        (9_999_000, "10.0 M"),
    ],
)
def test_parameters(number: int, words: str) -> None:
    assert say.parameters(number) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"), [(1.5, 100, "1.5%"), (1, 2300, "0.043%"), (1, 1, "100%"), (0, 5, "0%"), (0, 0, "0%")]
)
def test_shares_have_two_digits(part: float, whole: float, words: str) -> None:
    assert say.share(part, whole) == words


def test_counts_take_the_plural() -> None:
    assert (say.count(1, "epoch"), say.count(6920, "text"), say.count(7)) == ("1 epoch", "6,920 texts", "7")


def test_rates_keep_a_decimal_where_it_matters() -> None:
    assert (say.rate(163.4, "texts"), say.rate(2.44, "images")) == ("163 texts/s", "2.4 images/s")


def test_a_moment_is_local_and_anything_else_is_left_alone() -> None:
    assert say.moment("2026-11-30T14:02:11") == "2026-11-30 14:02"
    assert say.moment("yesterday") == "yesterday"


def test_metric_names_are_words() -> None:
    assert [say.metric_name(key) for key in ("test/f1_macro", "auroc", "train/loss", "test/bleu")] == [
        "F1 macro",
        "AUROC",
        "loss",
        "BLEU",
    ]


def test_a_spread_has_the_decimals_of_its_mean() -> None:
    assert (say.spread(0.0041, 0.8741), say.spread(0.2, 12.3)) == ("0.004", "0.2")
