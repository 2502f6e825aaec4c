from __future__ import annotations

from collections.abc import Sequence

import pytest

from espalier.core.searching import Dimension, Point, all_points, combinations, count, identity


class Space:
    """Two options; ``size`` belongs to the first alone."""

    def options(self) -> Sequence[Dimension]:
        return [Dimension("model", ("a", "b"), place=1)]

    def keys(self, options: Point, /) -> Sequence[Dimension]:
        shared = Dimension("lr", (1, 2), place=0)
        return [shared, Dimension("size", ([8], [16]), place=2)] if options["model"] == "a" else [shared]


def test_points_in_the_order_of_the_words_and_none_with_a_key_it_lacks() -> None:
    assert all_points(Space()) == [
        {"lr": 1, "model": "a", "size": [8]},
        {"lr": 1, "model": "a", "size": [16]},
        {"lr": 1, "model": "b"},
        {"lr": 2, "model": "a", "size": [8]},
        {"lr": 2, "model": "a", "size": [16]},
        {"lr": 2, "model": "b"},
    ]
    assert [list(point) for point in all_points(Space())[:1]] == [["lr", "model", "size"]]
    assert count(Space()) == 6


def test_sizes() -> None:
    assert Dimension("x", (1, 2)).size == 2
    assert Dimension("x", low=0, high=1).size is None
    assert Dimension("x", low=1, high=8, whole=True).size == 8
    assert Dimension("x", low=0, high=1, step=0.1).size == 11
    assert Dimension("x", low=1, high=3, whole=True).taken() == [1, 2, 3]
    with pytest.raises(ValueError, match="endlessly"):
        Dimension("x", low=0, high=1).taken()


def test_a_space_with_an_interval_has_no_end() -> None:
    class Endless(Space):
        def keys(self, options: Point, /) -> Sequence[Dimension]:
            return [Dimension("lr", low=0, high=1)] if options["model"] == "b" else []

    assert count(Endless()) is None


def test_one_combination_of_nothing() -> None:
    assert list(combinations([])) == [{}]


def test_points_are_told_apart_by_what_they_say() -> None:
    assert identity({"a": 1, "b": [2]}) == identity({"b": [2], "a": 1})
    assert len({identity({"a": value}) for value in (1, 1.0, "1", True, None, [1])}) == 6
