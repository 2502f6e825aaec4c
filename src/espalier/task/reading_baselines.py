"""What answers questions about a text without learning anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from espalier.task.squad import normalised

_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s*(?=[A-Z\"'(])|\n+")


def nothing(question: str, context: str, /) -> str:  # noqa: ARG001  # as the others
    """Never an answer."""
    return ""


def closest_sentence(question: str, context: str, /) -> str:
    """The sentence that has most of the question's words, the first of several.

    The sliding window of Richardson et al. 2013 (MCTest, D13-1020) with sentences for windows.
    """
    asked = set(normalised(question).split())
    parts = sentences(context)
    return max(parts, key=lambda part: len(asked & set(normalised(part).split())), default="")


def sentences(text: str) -> list[str]:
    """Parts that end with a mark, a capital letter following, or at a line's end; reviews often lack the blank."""
    return [part.strip() for part in _SENTENCE_ENDS.split(text) if part and part.strip()]


BASELINES: Mapping[str, Callable[[str, str], str]] = {
    "no answer": nothing, "sentence with most words in common": closest_sentence,
}  # fmt: skip
"""Name -> (question, context) -> answer."""
