from __future__ import annotations

from typing import Any

import pytest

from espalier.config.types import Anything, Bound, Bounded, Choice, DictOf, Either, ListOf, Part, Plain, branches, wrong

POSITIVE = Bounded(Plain("float"), (Bound("Gt", (0,)), Bound("Le", (1,))))
COUNT = Bounded(Plain("int"), (Bound("Ge", (1,)),))


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Plain("int"), True, "is not an integer"),
        (Plain("float"), float("nan"), None),
        (Plain("bool"), 0, "is not true or false"),
        (Choice(("a", 1)), "a", None),
        (Choice((1,)), True, "is none of 1"),
        (POSITIVE, 0, "must be > 0"),
        (POSITIVE, 2, "must be <= 1"),
        (POSITIVE, "x", "is not a number"),
        (ListOf(Plain("int")), [1, "a"], "is not an integer (item 2: 'a')"),
        (ListOf(Plain("int")), 3, "is no list"),
        (DictOf(Anything()), [], "is no mapping of names to values"),
        (Either((Plain("int"), Plain("None"))), "x", "is not an integer or null"),
        (Either((POSITIVE, Plain("None"))), 0, "must be > 0, or null"),
        (Either((POSITIVE, Choice(("auto",)))), 0, "must be > 0, or auto"),
        (Either((COUNT, POSITIVE)), 0, "must be int >= 1 or float > 0 and <= 1"),
        (Bounded(ListOf(Plain("int")), (Bound("Len", (2, 2)),)), [1], "needs 2 items"),
        (Bounded(ListOf(Plain("int")), (Bound("Len", (1, 3)),)), [], "needs 1 to 3 items"),
        (Bounded(ListOf(Plain("int")), (Bound("MinLen", (1,)),)), [], "needs 1 or more items"),
        (Anything(), object(), None),
        (Bounded(Plain("int"), (Bound("AtMost", ("cpus",)),)), 999, None),
        (Part(), 3, None),
    ],
)
def test_wrong(kind: Any, value: Any, said: str | None) -> None:
    assert wrong(kind, value) == said


def test_for_people() -> None:
    assert str(POSITIVE) == "float > 0 and <= 1"
    assert str(Either((ListOf(Plain("int")), Plain("None")))) == "list of int or null"
    assert str(DictOf(Part())) == "mapping of names to a part"


def test_branches() -> None:
    assert branches(Either((1, 2))) == (1, 2) and branches(POSITIVE) == (POSITIVE,)
