"""Texts that come as words: pieces of tokens, where each word begins, and the tags of words beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from espalier.core.columns import BESIDE, FIRST, Columns, Ragged
from espalier.core.facts import DataFacts
from espalier.model.encoding.texts import in_parts, packed, places_left

Ids = Sequence[Sequence[int]]
Encode = Callable[[list[list[str]]], tuple[Ids, Ids, list[int]]]


def word_roles(facts: DataFacts) -> tuple[str, ...]:
    """The columns that are lists of words."""
    return tuple(role for role, kind in facts.kinds.items() if kind == "words")


def padding(facts: DataFacts, pad: int) -> dict[str, int]:
    """Column -> what pads it, of all that ``encode_words`` makes."""
    roles = word_roles(facts)
    beside = [FIRST, *(f"{BESIDE}{role}" for role, kind in facts.kinds.items() if kind == "tags")]
    return {**dict.fromkeys(roles, pad), **{f"{role}{end}": -1 for role in roles for end in beside}}


def encode_words(encode: Encode, table: pa.Table, facts: DataFacts) -> Columns:
    """Columns of words as numbers.

    Args:
        encode: lists of words -> of each: ids, each word's first place among them (-1: it has none), and how many ids
            there were before they were cut.

    Returns:
        role -> ragged ids; ``<role>:first``: for each word the place of its first id, -1 for one that was cut off or
        has none; ``<role>:tags``, where the table has them: for each word its tag; ``length`` (rows,) int32: ids before
        cutting; ``truncated`` (rows,) bool.
    """
    columns: dict[str, Ragged] = {}
    lengths = np.zeros(table.num_rows, np.int32)
    cut = np.zeros(table.num_rows, bool)
    for role in word_roles(facts):
        ids, places, whole = encode(table[role].to_pylist())
        columns[role], columns[f"{role}{FIRST}"] = Ragged.of(ids), Ragged.of(places)
        lengths = np.maximum(lengths, np.asarray(whole, np.int32))
        cut |= np.asarray(whole) > columns[role].lengths.clip(min=1)
        for tags, kind in facts.kinds.items():
            if kind == "tags" and tags in table.column_names:
                columns[f"{role}{BESIDE}{tags}"] = Ragged.of(table[tags].to_pylist())
    return {**columns, "length": lengths, "truncated": cut}


def pieces_of_words(tokenizer: Tokenizer, max_length: int | None, *, empty: int) -> Encode:
    """Words as a tokenizer of texts has them, joined by blanks: it sees what it was trained on.

    Args:
        empty: the id that stands for a row without any token.
    """

    def encode(rows: list[list[str]]) -> tuple[Ids, Ids, list[int]]:
        ids, firsts, lengths = list[Sequence[int]](), list[Sequence[int]](), list[int]()
        found = in_parts(tokenizer.encode_batch, [" ".join(words) for words in rows])
        for words, encoding in zip(rows, found, strict=True):
            places = places_left(encoding, max_length)
            ids.append(packed(_at(encoding.ids, places) or [empty]))
            firsts.append(packed(first_pieces(words, _at(encoding.offsets, places))))
            lengths.append(len(encoding))
        return ids, firsts, lengths

    return encode


def ids_of_words(tokenizer: Tokenizer, max_length: int | None) -> Encode:
    """One id for each word, of a tokenizer that takes none apart; 0 for a row without any."""

    def encode(rows: list[list[str]]) -> tuple[Ids, Ids, list[int]]:
        # An empty word would have no id; a blank is one that is not known.
        known = [[word or " " for word in words] for words in rows]
        found = [packed(e.ids) for e in in_parts(partial(tokenizer.encode_batch, is_pretokenized=True), known)]
        firsts = [
            packed(i if max_length is None or i < max_length else -1 for i in range(len(words))) for words in rows
        ]
        return [ids[:max_length] or packed([0]) for ids in found], firsts, [len(ids) for ids in found]

    return encode


def first_pieces(words: list[str], offsets: list[tuple[int, int]]) -> list[int]:
    """The place of each word's first piece; -1: it has none.

    Args:
        words: joined by blanks they are the text.
        offsets: of each piece, begin and end in that text; equal ones are of pieces that stand for none of it.
    """
    owner = []  # of each character of the text
    for number, word in enumerate(words):
        owner += [number] * len(word) + [-1]
    places = [-1] * len(words)
    for place, (begin, end) in enumerate(offsets):
        # By its last character: its first one may be the blank before the word.
        if end > begin and owner[end - 1] >= 0 and places[owner[end - 1]] < 0:
            places[owner[end - 1]] = place
    return places


def _at(values: list[Any], places: Sequence[int]) -> list[Any]:
    return values if len(places) == len(values) else [values[place] for place in places]
