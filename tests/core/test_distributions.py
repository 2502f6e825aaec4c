from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from espalier.core.distributions import Parameter, Parameters
from espalier.core.searching import Dimension, Point


@pytest.mark.parametrize(
    ("dimension", "distribution"),
    [
        (Dimension("x", low=1e-5, high=1e-2, log=True), FloatDistribution(1e-5, 1e-2, log=True)),
        (Dimension("x", low=0, high=1, step=0.25), FloatDistribution(0, 1, step=0.25)),
        (Dimension("x", low=1, high=64, whole=True, log=True), IntDistribution(1, 64, log=True)),
        (Dimension("x", ("a", "b")), CategoricalDistribution(["a", "b"])),
        (Dimension("x", (["a"], ["a", "b"])), CategoricalDistribution(['["a"]', '["a", "b"]'])),
        (Dimension("x", (True, 1)), CategoricalDistribution(["true", "1"])),
        (Dimension("x", (None, 0.5)), CategoricalDistribution([None, 0.5])),
    ],
)
def test_distributions(dimension: Dimension, distribution: Any) -> None:
    assert Parameter("x", dimension).distribution == distribution


@pytest.mark.parametrize("values", [("a", "b"), (1, 2), (True, 1), (None, 0.5), (["a"], ["a", "b"]), ({"a": 1}, {})])
def test_values_come_back_as_they_were(values: tuple[Any, ...]) -> None:
    parameter = Parameter("x", Dimension("x", values))
    back = [parameter.decoded(parameter.encoded(value)) for value in values]
    assert [(type(value), value) for value in back] == [(type(value), value) for value in values]


def test_numbers_in_order_are_taken_by_their_place() -> None:
    parameter = Parameter("x", Dimension("x", (4, 8, 16)), ordered=True)
    assert parameter.distribution == IntDistribution(0, 2)
    assert (parameter.encoded(8), parameter.decoded(1)) == (1, 8)


class Space:
    def options(self) -> Sequence[Dimension]:
        return [Dimension("optimizer", ("adamw", "sgd"))]

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        high = 1.0 if options["optimizer"] == "sgd" else 0.01
        source = f"conf/space/optimizer/{options['optimizer']}.yaml:2"
        return [Dimension("optimizer.lr", low=1e-5, high=high, source=source), Dimension("size", (4, 8, 16))]


def test_a_key_with_two_ranges_is_two_parameters() -> None:
    parameters = Parameters(Space())
    assert list(parameters.all()) == ["optimizer", "optimizer.lr (adamw)", "size", "optimizer.lr (sgd)"]
    point = {"optimizer": "sgd", "optimizer.lr": 0.5, "size": 8}
    assert parameters.encoded(point) == {"optimizer": "sgd", "optimizer.lr (sgd)": 0.5, "size": 8}


def test_only_rising_numbers_are_ordered() -> None:
    found = Parameters(Space(), ordered=True).all()
    assert found["size"].ordered and not found["optimizer"].ordered
