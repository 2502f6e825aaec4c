"""What tokenizers share that are learned on the training split: ids of texts, blocks of running text, text of ids."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from espalier.core.columns import DOCUMENT, Columns, Ragged
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.blocks import blocks_of
from espalier.model.encoding.texts import Keep, encode_texts, in_parts, packed, text_roles

PAD, UNKNOWN, BETWEEN = "[PAD]", "[UNK]", "[SEP]"
_FILE = "tokenizer.json"
_RECIPE = """
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
{limit}

def encode(texts):
    return [encoded.ids or [0] for encoded in tokenizer.encode_batch(texts)]


rows = {rows}  # yours
"""


class AbstractLearned(ABC):
    """A tokenizer of the tokenizers package whose vocabulary is learned; a subclass says how, in ``learn``.

    A row is a text of its own, cut to ``data.max_length`` tokens; or, of data with the columns ``text`` and
    ``text_pair``, one sequence, ``text``, with ``[SEP]`` between the two, of which the longer one is cut first. Rows
    that have a ``document`` are running text: those of one document make up blocks of ``data.max_length + 1`` tokens,
    each beginning with the last one of the block before it, so that of each token but a document's first it can be
    asked what foretold it.

    Args:
        keep: which end of a text stays that is too long: its ``start``, or, for a text that is to be gone on with, its
            ``end``.

    Attributes:
        tokenizer: id 0 is what pads.
        pair: the role of the second text, where there is one.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)
    option: ClassVar[str]
    named: ClassVar[Mapping[str, str]] = {}  # special tokens besides what pads, by transformers' names

    def __init__(self, facts: DataFacts, /, *, keep: Keep) -> None:
        texts = text_roles(facts, self.option)
        self.pair = "text_pair" if {"text", "text_pair"} <= set(texts) else None
        self.roles = ("text",) if self.pair else texts
        self.max_length, self.keep = facts.max_length, keep
        self.tokenizer = self.learn(())

    @abstractmethod
    def learn(self, texts: Sequence[str], /) -> Tokenizer:
        """The tokenizer of some texts; of none, one that ``load`` may replace."""

    def fit(self, raw: Raw, /) -> None:
        """Learn the vocabulary of the training split."""
        columns = [*self.roles, self.pair] if self.pair else self.roles
        self.tokenizer = self.learn([text for role in columns for text in raw.splits["train"][role].to_pylist()])
        if self.pair:
            self.tokenizer.post_processor = TemplateProcessing(
                single="$A", pair=f"$A {BETWEEN} $B", special_tokens=[(BETWEEN, self.tokenizer.token_to_id(BETWEEN))]
            )

    @property
    def between(self) -> list[str]:
        """The special token that stands between two texts, where rows have two."""
        return [BETWEEN] if self.pair else []

    def apply(self, table: pa.Table, /) -> Columns:
        """Ids of each row with how many there were and whether it was cut; or those of blocks, and what they are of."""
        if self.pair:
            return encode_texts(self.tokenizer, table, self.roles, self.max_length, second=self.pair, keep=self.keep)
        ids = {role: self._ids(table[role].to_pylist()) for role in self.roles if role in table.column_names}
        if DOCUMENT in table.column_names and self.max_length is not None:
            ((role, rows),) = ids.items()
            blocks, taken = blocks_of(rows, table[DOCUMENT].to_numpy(), self.max_length + 1)
            return {role: blocks, "taken": taken}
        lengths = np.max([[len(row) for row in rows] for rows in ids.values()], axis=0).astype(np.int32)
        cut = {role: Ragged.of([self._cut(row) or packed([0]) for row in rows]) for role, rows in ids.items()}
        return {**cut, "length": lengths, "truncated": lengths > (self.max_length or np.inf)}

    def decode(self, ids: Sequence[int], /) -> str:
        """The text of some ids, without special ones."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": self.tokenizer.get_vocab_size(), "pad": dict.fromkeys(self.roles, 0)}

    def fingerprint(self) -> str:
        """Of the vocabulary, the length limit and the end that is kept."""
        told = f"{self.tokenizer.to_str()}{self.roles}{self.max_length}{self.keep}"
        return hashlib.sha256(told.encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``tokenizer.json`` and its config, as ``AutoTokenizer.from_pretrained`` loads them."""
        unknown = UNKNOWN if self.tokenizer.token_to_id(UNKNOWN) is not None else None
        named = {"pad_token": PAD, "unk_token": unknown, "sep_token": BETWEEN if self.pair else None, **self.named}
        given = {name: token for name, token in named.items() if token}
        side = "left" if self.keep == "end" else "right"
        whole = PreTrainedTokenizerFast(tokenizer_object=self.tokenizer, truncation_side=side, **given)
        whole.save_pretrained(folder)
        self.tokenizer.save(str(folder / _FILE))  # as it is: transformers writes a step more that does nothing

    def load(self, folder: Path, /) -> None:
        """The vocabulary of ``tokenizer.json``."""
        self.tokenizer = Tokenizer.from_file(str(folder / _FILE))

    def recipe(self) -> str:
        """Lines of the tokenizers package that encode texts in the same way: ``encode(texts)``, and some ``rows``."""
        side = "left" if self.keep == "end" else "right"
        limit = f'tokenizer.enable_truncation({self.max_length}, direction="{side}")\n'
        rows = '[("a text", "its other"), ("one more", "and its")]' if self.pair else '["a text", "another one"]'
        return _RECIPE.format(limit="" if self.max_length is None else limit, rows=rows)

    def _ids(self, texts: Sequence[str]) -> list[array[int]]:
        return [packed(encoded.ids) for encoded in in_parts(self.tokenizer.encode_batch_fast, list(texts))]

    def _cut(self, ids: array[int]) -> array[int]:
        if self.max_length is None:
            return ids
        return ids[: self.max_length] if self.keep == "start" else ids[-self.max_length :]
