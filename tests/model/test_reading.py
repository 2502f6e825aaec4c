from __future__ import annotations

from typing import Any

import pytest

from espalier.model.reading import encoding_lines, text_role
from model.examples import pairs, sentences


class Bare:
    """An encoding that says nothing of itself."""


class Told(Bare):
    """One that does."""

    def recipe(self) -> str:
        return "\ndef encode(texts):\n    return texts\n"


def test_role_is_the_first_texts() -> None:
    assert text_role(sentences()[1]) == text_role(pairs(["a"], ["b"])[1]) == "text"


def test_lines_are_the_encodings() -> None:
    told: Any = Told()
    assert encoding_lines(told) == "def encode(texts):\n    return texts"


def test_without_a_recipe_the_lines_say_what_is_wanted() -> None:
    bare: Any = Bare()
    names: dict[str, Any] = {}
    exec(encoding_lines(bare), names)
    with pytest.raises(NotImplementedError, match="ids of each text"):
        names["encode"](names["rows"])
