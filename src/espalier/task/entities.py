"""Entities in sentences whose words have tags: where they are, how many two taggings share, a dictionary of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OUTSIDE = "O"
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Entity:
    """Words ``start`` to ``end`` (exclusive) of a sentence."""

    start: int
    end: int
    type: str


def entities(tags: Sequence[str]) -> list[Entity]:
    """Those that ``B-<type>``, ``I-<type>`` and ``O`` say, in their order.

    As conlleval (Tjong Kim Sang & Buchholz 2000) and seqeval read them: an ``I-`` behind another type, or behind none,
    begins an entity too.
    """
    found: list[Entity] = []
    kind, start = "", 0
    for place, tag in enumerate([*tags, OUTSIDE]):
        if kind and (tag[0] != "I" or tag[2:] != kind):
            found.append(Entity(start, place, kind))
            kind = ""
        if tag != OUTSIDE and not kind:
            kind, start = tag[2:], place
    return found


def counted(target: Iterable[Entity], predicted: Iterable[Entity], types: Sequence[str]) -> Counts:
    """True positives, false positives, false negatives of each type, (types, 3): one is found if all of it is the same.

    Raises:
        KeyError: a type that is none of ``types``.
    """
    place = {kind: index for index, kind in enumerate(types)}
    there, called = set(target), set(predicted)
    counts = np.zeros((len(types), 3), np.int64)
    for column, group in enumerate((there & called, called - there, there - called)):
        for entity in group:
            counts[place[entity.type], column] += 1
    return counts


class Dictionary:
    """Entities that were seen: in other sentences the longest ones are found that always were of one type.

    The baseline of CoNLL-2003 (Tjong Kim Sang & De Meulder 2003, W03-0419), here whatever the words' case.

    Args:
        sentences: words and tags of each.
    """

    def __init__(self, sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        seen: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for words, tags in sentences:
            for entity in entities(tags):
                seen[_phrase(words[entity.start : entity.end])][entity.type] += 1
        self.types = {phrase: next(iter(types)) for phrase, types in seen.items() if len(types) == 1}
        self._longest = max(map(len, self.types), default=0)

    def tags(self, words: Sequence[str]) -> list[str]:
        """Of each word, read from left to right."""
        found = [OUTSIDE] * len(words)
        place = 0
        while place < len(words):
            for length in range(min(self._longest, len(words) - place), 0, -1):
                if kind := self.types.get(_phrase(words[place : place + length])):
                    found[place : place + length] = [f"B-{kind}"] + [f"I-{kind}"] * (length - 1)
                    place += length - 1
                    break
            place += 1
        return found


def _phrase(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)
