"""What text encodings share: which columns are texts, and token ids with a length limit."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from tokenizers import Encoding, Tokenizer

from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts

Keep = Literal["start", "end"]
_PART = 4096


def text_roles(facts: DataFacts, encoding: str) -> tuple[str, ...]:
    """The columns that are texts; none, where texts come as words.

    Raises:
        ConfigError: the data has neither.
    """
    roles = tuple(role for role, kind in facts.kinds.items() if kind == "text")
    if not roles and "words" not in facts.kinds.values():
        kinds = ", ".join(sorted(set(facts.kinds.values()) - {"label", "labels"}))
        if not kinds:
            named = Fault("data.columns.text=null", "leaves nothing for a model to read.", "Name a column of texts.")
            raise ConfigError(named)
        instead = "model=causal_lm" if "messages" in facts.kinds.values() else "model=mlp"
        raise ConfigError(
            Fault(f"model/encoding={encoding}", f"needs texts, and this data has {kinds}.",
                  f"Choose a model for such data, for instance {instead}.")
        )  # fmt: skip
    return roles


def encode_texts(
    tokenizer: Tokenizer,
    table: pa.Table,
    roles: Sequence[str],
    max_length: int | None,
    *,
    second: str | None = None,
    joint: str = "",
    empty: int = 0,
    keep: Keep = "start",
) -> Columns:
    """Token ids of each text column, cut to ``max_length`` as the tokenizer itself cuts, special tokens kept.

    Args:
        second: the column whose text follows that of the one role, in one sequence, as the tokenizer joins pairs; of
            the two, the longer one is cut first.
        joint: stands before each second text.
        empty: the id that stands for a text without any token.
        keep: which end of a text stays that is cut.

    Returns:
        role -> ragged ids; ``length`` (rows,) int32: tokens of the row's longest text before cutting; ``truncated``
        (rows,) bool: whether any of its texts was cut.
    """
    lengths = np.zeros(table.num_rows, np.int32)
    columns: dict[str, Ragged] = {}
    for role in roles:
        texts = table[role].to_pylist()
        if second:
            texts = list(zip(texts, (joint + text for text in table[second].to_pylist()), strict=True))
        encoded = in_parts(tokenizer.encode_batch_fast, texts)
        rows = [(len(row), packed(_cut(row, max_length, keep) or [empty])) for row in encoded]
        lengths = np.maximum(lengths, np.fromiter((length for length, _ in rows), np.int32, len(rows)))
        columns[role] = Ragged.of([ids for _, ids in rows])
    truncated = lengths > (np.inf if max_length is None else max_length)
    return {**columns, "length": lengths, "truncated": truncated}


def packed(ids: Iterable[int]) -> array[int]:
    """Ids of a row that waits for the others, as int32: Python's own numbers take nine times the room."""
    return array("i", ids)


def in_parts(encode: Callable[[Sequence[Any]], Sequence[Encoding]], rows: Sequence[Any]) -> Iterator[Encoding]:
    """What a tokenizer makes of many rows, some thousands at a time: an encoding takes many times the room of ids."""
    for start in range(0, len(rows), _PART):
        yield from encode(rows[start : start + _PART])


def _cut(encoded: Encoding, max_length: int | None, keep: Keep) -> list[int]:
    ids: list[int] = encoded.ids
    if max_length is None or len(ids) <= max_length:
        return ids
    return [ids[i] for i in places_left(encoded, max_length, keep)]


def places_left(encoded: Encoding, max_length: int | None, keep: Keep = "start") -> Sequence[int]:
    """The places of the ids that a tokenizer's own truncation leaves.

    That one makes every piece it cuts off as well, of a pair each with each: of two texts of 50,000 words, for minutes.
    """
    if max_length is None or len(encoded) <= max_length:
        return range(len(encoded))
    owners = encoded.sequence_ids  # 0 and 1: tokens of the first and the second text; None: special ones
    tokens = owners.count(0), owners.count(1)
    left = shares(*tokens, max_length - owners.count(None))
    starts = [0, 0] if keep == "start" else [there - some for there, some in zip(tokens, left, strict=True)]
    seen = [0, 0]
    kept = []
    for place, owner in enumerate(owners):
        if owner is None or starts[owner] <= seen[owner] < starts[owner] + left[owner]:
            kept.append(place)
        if owner is not None:
            seen[owner] += 1
    return kept


def shares(first: int, second: int, room: int) -> tuple[int, int]:
    """How much of either text is kept, the longer one being cut first: ``longest_first`` of the tokenizers package."""
    short = min(first, second)
    long = room - short
    if short > long:
        short, long = room // 2, room - room // 2
    return (long, short) if first > second else (short, long)
