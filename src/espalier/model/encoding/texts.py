"""What text encodings share: which columns are texts, and token ids with a length limit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from espalier.core.columns import Columns, Ragged
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts


def text_roles(facts: DataFacts, encoding: str) -> tuple[str, ...]:
    """The columns that are texts.

    Raises:
        ConfigError: the data has none.
    """
    roles = tuple(role for role, kind in facts.kinds.items() if kind == "text")
    if not roles:
        kinds = ", ".join(sorted(set(facts.kinds.values()) - {"label", "labels"}))
        if not kinds:
            named = Fault("data.columns.text=null", "leaves nothing for a model to read.", "Name a column of texts.")
            raise ConfigError(named)
        raise ConfigError(
            Fault(f"model/encoding={encoding}", f"needs texts, and this data has {kinds}.",
                  "Choose a model for such data, for instance model=mlp.")
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
) -> Columns:
    """Token ids of each text column, cut to ``max_length`` as the tokenizer itself cuts, special tokens kept.

    Args:
        second: the column whose text follows that of the one role, in one sequence, as the tokenizer joins pairs; of
            the two, the longer one is cut first.
        joint: stands before each second text.
        empty: the id that stands for a text without any token.

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
        rows = [encoded.ids for encoded in tokenizer.encode_batch_fast(texts)]
        lengths = np.maximum(lengths, np.fromiter(map(len, rows), np.int32, len(rows)))
        if max_length is not None:
            _cut(tokenizer, texts, rows, max_length)
        columns[role] = Ragged.of([row or [empty] for row in rows])
    truncated = lengths > (np.inf if max_length is None else max_length)
    return {**columns, "length": lengths, "truncated": truncated}


def _cut(tokenizer: Tokenizer, texts: Sequence[Any], rows: list[list[int]], max_length: int) -> None:
    long = [number for number, row in enumerate(rows) if len(row) > max_length]
    if long and isinstance(texts[0], str):  # what a tokenizer does to a single text, without tokenizing it again
        marks = tokenizer.encode("a").special_tokens_mask
        closing = sum(1 for _ in takewhile(bool, reversed(marks)))
        for number in long:
            rows[number] = rows[number][: max_length - closing] + rows[number][len(rows[number]) - closing :]
    elif long:
        tokenizer.enable_truncation(max_length)
        for number, encoded in zip(long, tokenizer.encode_batch_fast([texts[n] for n in long]), strict=True):
            rows[number] = encoded.ids
        tokenizer.no_truncation()
