"""Words of a command line: each is read or explained, and a value that is written is the value that is read."""

from __future__ import annotations

import shlex
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from espalier.config.dimensions import spelled
from espalier.config.suggest import asked, listed, nearest, nearest_keys
from espalier.config.words import as_word, quoted, read_words
from fuzz.effort import ANY, GRAMMAR, WHOLE, effort, trees

NAMES = st.from_regex(
    r"[a-z_][a-z0-9_ ,:=()\[\]{}\\\t./$-]{0,8}[a-z0-9_]", fullmatch=True
)  # what a mapping's key may be
KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}(\.[a-z_][a-z0-9_]{0,8}){0,3}", fullmatch=True)
PREFIXES = st.sampled_from(["", "+", "++", "~"])
WORDS = ANY | GRAMMAR | st.builds("{}{}={}".format, PREFIXES, KEYS | GRAMMAR, GRAMMAR | ANY)


@effort(500, 20_000)
@given(WORDS, st.booleans())
def test_any_word_is_read_or_explained(text: str, sweep: bool) -> None:
    words, faults = read_words([text], sweep=sweep)
    assert len(words) + len(faults) == 1
    for fault in faults:
        assert fault.what == text and fault.truth
    for word in words:
        assert word.typed == text
        assert sweep or not word.override.is_sweep_override()
    again = read_words([text], sweep=sweep)[0]
    assert [_told(word) for word in words] == [_told(word) for word in again]


@effort(300, 20_000)
@given(KEYS, WHOLE | GRAMMAR)
def test_a_quoted_text_is_read_back(key: str, text: str) -> None:
    (word,), faults = read_words([f"{key}={quoted(text)}"])
    assert (faults, word.key, word.override.value()) == ([], key, text)


@effort(300, 20_000)
@given(KEYS, trees(NAMES))
@example("a", {"a b": [1e300, -0.0, "null", "a b"]})
def test_a_plain_value_is_read_back_as_it_was_spelled(key: str, value: Any) -> None:
    (word,), faults = read_words([f"{key}={spelled(value)}"])
    assert faults == []
    assert _typed(word.override.value()) == _typed(value)


@effort(300, 20_000)
@given(KEYS, WHOLE | GRAMMAR)
def test_a_proposed_word_survives_a_shell(key: str, text: str) -> None:
    (typed,) = shlex.split(as_word(key, text))
    (word,), faults = read_words([typed])
    assert (faults, word.key) == ([], key)
    assert str(word.override.value()) == text or _is_number_or_word(text)


@effort(300, 20_000)
@given(ANY, st.lists(WHOLE, max_size=8))
def test_a_suggestion_is_known(word: str, known: list[str]) -> None:
    found = nearest(word, known)
    assert found is None or found in known
    for key in nearest_keys(word, known):
        assert key in known
    assert asked([]) == "" and all(name in listed(known) for name in known[:3])


def _told(word: Any) -> tuple[Any, ...]:
    return word.key, str(word.override.type), str(word.override._value)


def _typed(value: Any) -> Any:
    """With the type of each value, so that 1, 1.0 and true are told apart."""
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    return list(map(_typed, value)) if isinstance(value, list) else (type(value), repr(value))


def _is_number_or_word(text: str) -> bool:
    """Written bare, such a text is a number or one of YAML's words, as it is everywhere in Hydra."""
    try:
        float(text.replace("_", ""))
    except ValueError:
        return text.lower() in ("null", "true", "false")
    return True
