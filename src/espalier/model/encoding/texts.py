"""What text encodings share: which columns are texts, and token ids with a length limit."""

from __future__ import annotations

from collections.abc import Sequence

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
        kinds = ", ".join(sorted(set(facts.kinds.values()) - {"label"}))
        raise ConfigError(
            Fault(f"model/encoding={encoding}", f"needs texts, and this data has {kinds}.",
                  "Choose a model for such data, for instance model=mlp.")
        )  # fmt: skip
    return roles


def encode_texts(
    tokenizer: Tokenizer, table: pa.Table, roles: Sequence[str], max_length: int | None, *, closing: int = 0
) -> Columns:
    """Token ids of each text column, cut to ``max_length``; the last ``closing`` tokens (``[SEP]``) stay in a cut row.

    Returns:
        role -> ragged ids; ``truncated`` (rows,) bool: whether any of the row's texts was cut.
    """
    truncated = np.zeros(table.num_rows, bool)
    columns: dict[str, Ragged] = {}
    for role in roles:
        rows = [encoded.ids for encoded in tokenizer.encode_batch_fast(table[role].to_pylist())]
        if max_length is not None:
            truncated |= np.asarray([len(row) > max_length for row in rows], bool)
            rows = [_cut(row, max_length, closing) for row in rows]
        columns[role] = Ragged.of([row or [0] for row in rows])
    return {**columns, "truncated": truncated}


def _cut(row: list[int], max_length: int, closing: int) -> list[int]:
    if len(row) <= max_length:
        return row
    return row[: max_length - closing] + row[len(row) - closing :]
