"""Texts that stand behind others, as ids: a tokenizer that begins each text with a blank would put one between them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import partial

from tokenizers import Tokenizer

from espalier.model.encoding.texts import in_parts, packed

_BEFORE = "\n"  # what a text is tried behind


class Behind:
    """The ids of a text's pieces, which together are those of the whole text; without special tokens.

    Llama's first tokenizers and Mistral's put a blank before whatever they are given. A piece that is not the first is
    given to such a one behind a line's end, whose ids are taken off again.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._encode = partial(tokenizer.encode_batch_fast, add_special_tokens=False)
        before, alone, both = (found.ids for found in self._encode([_BEFORE, "a", f"{_BEFORE}a"]))
        begins = before and both[: len(before)] == before and both != [*before, *alone]
        self._before: list[int] = before if begins else []

    def __call__(self, texts: Sequence[str], firsts: Sequence[bool]) -> list[array[int]]:
        """Ids of each piece.

        Args:
            firsts: whether a piece begins a text.
        """
        if not self._before:
            return [packed(found.ids) for found in in_parts(self._encode, texts)]
        given = [text if first or not text else f"{_BEFORE}{text}" for text, first in zip(texts, firsts, strict=True)]
        rows = (found.ids for found in in_parts(self._encode, given))
        return [packed(self._without(ids, text) if text != whole else ids)
                for ids, text, whole in zip(rows, texts, given, strict=True)]  # fmt: skip

    def _without(self, ids: list[int], text: str) -> list[int]:
        """Without the line's end; of a text with which that has become one token, as it is alone."""
        size = len(self._before)
        return ids[size:] if ids[:size] == self._before else list(self._encode([text])[0].ids)
