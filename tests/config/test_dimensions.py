from __future__ import annotations

from typing import Any

import pytest

from espalier.config.dimensions import dimension, misread, spelled, words_of
from espalier.config.sources import loader
from espalier.config.words import Word, read_words
from espalier.core.errors import Fault
from espalier.core.searching import Dimension


def word(text: str) -> Word:
    (read,), faults = read_words([text], sweep=True, config_loader=loader([]))
    assert not faults
    return read


def read(text: str) -> Dimension:
    found = dimension(word(text), 0)
    assert isinstance(found, Dimension), found
    return found


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("x=1,2", (1, 2)),
        ("x=1e-4,1e-3", (0.0001, 0.001)),
        ("x=choice(a,'b,c')", ("a", "b,c")),
        ("x=[a,b],[a]", (["a", "b"], ["a"])),
        ("x={a:1},{b:2}", ({"a": 1}, {"b": 2})),
        ("x=null,true,a", (None, True, "a")),
        ("x=range(3)", (0, 1, 2)),
        ("x=range(0.007,0.010,0.001)", (0.007, 0.008, 0.009)),
        ("x=sort(3,1,2)", (1, 2, 3)),
        ("x=1,2,1", (1, 2)),
        ("x=choice(1)", (1,)),
        ("model=glob(m*)", ("minilm", "mlp")),
        ("data=glob(_*)", None),
        ("x=_a,b", ("_a", "b")),
        ("x=choice(_source,_target)", ("_source", "_target")),
    ],
)
def test_values(text: str, values: tuple[Any, ...] | None) -> None:
    found = dimension(word(text), 3)
    if values is None:
        assert isinstance(found, Fault) and found.truth == "names no value."
    else:
        assert isinstance(found, Dimension) and (found.values, found.place) == (values, 3)


@pytest.mark.parametrize(
    ("text", "log", "whole"),
    [
        ("x=interval(0.1,0.5)", False, False),
        ("x=interval(1e-5,1e-2)", True, False),
        ("x=tag(linear,interval(1e-5,1e-2))", False, False),
        ("x=tag(log,interval(1,2))", True, False),
        ("x=int(interval(1,8))", False, True),
        ("x=int(tag(log,interval(1,8)))", True, True),
        ("x=interval(0,1000)", False, False),
    ],
)
def test_intervals(text: str, log: bool, whole: bool) -> None:
    found = read(text)
    assert (found.is_interval, found.log, found.whole) == (True, log, whole)


@pytest.mark.parametrize(
    "text", ["x=interval(2,1)", "x=interval(1,1)", "x=tag(log,interval(0,1))", "x=tag(z,interval(1,2))"]
)
def test_intervals_that_cannot_be(text: str) -> None:
    found = dimension(word(text), 0)
    assert isinstance(found, Fault) and found.what == text and found.remedy


def test_a_shuffle_is_the_same_each_time() -> None:
    first, second = read("x=shuffle(range(30))").values, read("x=shuffle(range(30))").values
    assert first == second != tuple(range(30)) and sorted(first) == list(range(30))
    assert read("y=shuffle(range(30))").values != first


def test_signs_of_a_key_are_kept() -> None:
    assert read("+vars.x=1,2").key == "+vars.x"


@pytest.mark.parametrize("text", ["x=interval(1,2,3)", "x=choice()", "x=range(a,b)", "x=tag(log,interval(1,2)"])
def test_what_begins_as_a_sweep_and_is_none(text: str) -> None:
    fault = misread(word(text))
    assert fault and fault.what == text and fault.remedy.startswith("Write")


@pytest.mark.parametrize("text", ["x=interval", "x=1", "x='choice(1'", "x=[interval]", "x=interval(1,2)"])
def test_what_is_a_text_or_a_sweep(text: str) -> None:
    assert misread(word(text)) is None


@pytest.mark.parametrize(
    "value",
    [1, 0.1, 1e-05, 1e300, True, False, None, "a", "a b", "it's", "1", "1_0", "1e5", "true", "null", "", "a,b", "ä",
     "~", "a\\", "[x]", "$x", "x=y", "a/b.c-d", "nan", ["a", "b c", 1, [2.5, None]], {"a": 1, "b": ["x y"]}, [], {}],
)  # fmt: skip
def test_words_come_back_as_the_same_values(value: Any) -> None:
    (back,) = words_of({"vars.x": value})
    (found,), faults = read_words([back])
    assert not faults
    assert found.override.value() == value and type(found.override.value()) is type(value)


def test_words_are_short_where_they_can_be() -> None:
    assert words_of({"adapter": "lora", "optimizer.lr": 0.0001, "callback": ["a", "b"]}) == (
        "adapter=lora", "optimizer.lr=0.0001", "callback=[a,b]"
    )  # fmt: skip
    assert spelled("two words") == "'two words'"


@pytest.mark.parametrize("value", [["größe"], ["^"], ["~"], {"a b": 1, "c,d": {"e:f": "g"}}, {"back\\slash": None}])
def test_what_the_grammar_refuses_bare_is_quoted_or_marked(value: object) -> None:
    (word,), faults = read_words([f"a={spelled(value)}"])
    assert faults == [] and word.override.value() == value


def test_a_range_without_a_step_names_no_value() -> None:
    found = dimension(word("seed=range(0,1,0)"), 0)
    assert isinstance(found, Fault) and found.truth == "names no value."
