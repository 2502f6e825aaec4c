"""``model/encoding=pretrained``: the tokenizer that belongs to pretrained weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from transformers import AutoTokenizer

from espalier.core.columns import BLOCK, DOCUMENT, Columns
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.blocks import whole_blocks
from espalier.model.encoding.pieces import encode_words, padding, pieces_of_words
from espalier.model.encoding.texts import encode_texts, in_parts, packed, text_roles
from espalier.model.encoding.windows import Cutting, Reading, encode_windows, null_token
from espalier.model.source import locate
from espalier.model.transformer import read_config


class Pretrained:
    """A fast tokenizer from a model's folder; learns nothing.

    Of data with the columns ``text`` and ``text_pair``, each row is one sequence, ``text``, joined as the tokenizer
    joins pairs; where it puts no token between them, a line break stands there. Texts that come as words are joined by
    blanks; see ``encoding.pieces`` for what tells the words' places. Of data with answers that are spans of a text,
    rows are question and context, in windows of ``data.max_length``; see ``encoding.windows``. Running text (rows of a
    ``document``) is cut into blocks of ``data.max_length`` tokens.

    Args:
        source: hub id or folder, as the model's.
        revision: the hub's commit, where the hub is asked.

    Attributes:
        tokenizer: transformers' own; it pads, and cuts, on the right.
        pair: the role of the second text, where there is one.
        joint: what stands before a second text.
        reading: which columns are question, context and answers, of data that has such; or None.
        separator: the token that ends the first text, where the tokenizer tells the second one by token types; or None.

    Raises:
        ConfigError: the tokenizer or the model's config cannot be read, or ``data.max_length`` leaves no room for a
            text.
    """

    reads: ClassVar[tuple[str, ...]] = ("text", "words")

    def __init__(self, facts: DataFacts, /, *, source: str, revision: str) -> None:
        self.roles, self.data = text_roles(facts, "pretrained"), facts
        self.max_length = facts.max_length
        self.tokenizer = read_tokenizer(locate(source, revision).folder, source)
        self.backend = self.tokenizer.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()
        self.pair = "text_pair" if {"text", "text_pair"} <= set(self.roles) else None
        self.reading = Reading.of(facts)
        two = self.pair is not None or self.reading is not None
        added = self.backend.num_special_tokens_to_add(two)
        self.joint = "" if added > self.backend.num_special_tokens_to_add(False) else "\n" * two
        self.null = null_token(self.tokenizer, source) if self.reading else 0
        self.separator = self._separator() if two else None
        if self.max_length is not None and self.max_length < added + 1 + two:
            truth = f"leaves no room for a text: the tokenizer adds {added} tokens of its own."
            raise ConfigError(Fault(f"data.max_length={self.max_length}", truth, "Raise it."))

    @property
    def mask(self) -> int | None:
        """The id that hides a token from a model that is to tell it; None: there is none."""
        mask: int | None = self.tokenizer.mask_token_id
        return mask

    @property
    def mask_text(self) -> str:
        """As it is written in a text."""
        return str(self.tokenizer.mask_token)

    @property
    def added(self) -> int:
        """Tokens of its own that it puts around a text."""
        return int(self.backend.num_special_tokens_to_add(False))

    @property
    def special(self) -> tuple[int, ...]:
        """Ids that stand for no text."""
        return tuple(self.tokenizer.all_special_ids)

    def decode(self, ids: Sequence[int], /) -> str:
        """The text of some ids, without special ones."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def fit(self, raw: Raw, /) -> None:
        """Nothing: the vocabulary came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids with the model's special tokens, how many there were, and whether the row was truncated."""
        if self.reading:
            cutting = Cutting(self.backend, self.null, self.max_length, self.data.overlap, self.joint)
            return encode_windows(cutting, table, self.reading)
        roles = ["text"] if self.pair else list(self.roles)
        empty = self.tokenizer.eos_token_id or self.tokenizer.pad_token_id
        if DOCUMENT in table.column_names and self.max_length is not None and len(roles) == 1:
            return self._blocks(table[roles[0]].to_pylist(), table[DOCUMENT].to_numpy(), roles[0], self.max_length)
        if not roles:
            return encode_words(pieces_of_words(self.backend, self.max_length, empty=empty), table, self.data)
        return encode_texts(
            self.backend, table, roles, self.max_length, second=self.pair, joint=self.joint, empty=empty
        )

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        roles, pad = ["text"] if self.pair else self.roles, self.tokenizer.pad_token_id
        pads = self.reading.pad(pad) if self.reading else {**dict.fromkeys(roles, pad), **padding(self.data, pad)}
        return {"vocab_size": len(self.tokenizer), "pad": pads}

    def fingerprint(self) -> str:
        """Of the tokenizer's file content and the length limit."""
        roles = (self.reading, self.data.overlap) if self.reading else self.roles or dict(self.data.kinds)
        return hashlib.sha256(f"{self.backend.to_str()}{roles}{self.max_length}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """As ``AutoTokenizer.from_pretrained`` loads it."""
        save_tokenizer(self.tokenizer, folder)

    def load(self, folder: Path, /) -> None:
        """Nothing: it comes from where the weights come from."""

    def _blocks(self, texts: Sequence[str], document: Any, role: str, size: int) -> Columns:
        """Running text, in pieces that end where the size does, each with the tokenizer's own tokens around it."""
        bare = partial(self.backend.encode_batch_fast, add_special_tokens=False)
        rows = [packed(row.ids) for row in in_parts(bare, list(texts))]
        ids, owners = self.backend.encode("a").ids, self.backend.encode("a").sequence_ids
        first, last = owners.index(0), len(owners) - owners[::-1].index(0)
        blocks, taken = whole_blocks(rows, document, size, ids[:first], ids[last:])
        return {role: blocks, "taken": taken, BLOCK: np.arange(len(taken))}

    def _separator(self) -> int | None:
        mark = self.tokenizer.sep_token_id
        encoded = self.backend.encode("a", "b")
        ends = [int(token == mark) for token in encoded.ids]
        second = [int(before - end > 0) for before, end in zip(accumulate(ends), ends, strict=True)]
        return mark if mark is not None and any(second) and second == encoded.type_ids else None


_LARGEST = 2**26  # bytes of a tokenizer.json; those of 260,000 words have 35 MB


def _require_small(file: Path, source: str) -> None:
    """tokenizers ends the process where a vocabulary takes more memory than there is."""
    size = file.stat().st_size if file.is_file() else 0
    if size > _LARGEST:
        truth = f"has a tokenizer.json of {size / 1e6:,.0f} MB; no vocabulary takes more than {_LARGEST / 1e6:,.0f}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again."))


def read_tokenizer(folder: Path, source: str) -> Any:
    """A fast tokenizer that pads, and cuts, on the right.

    Raises:
        ConfigError: there is none, or it cannot be read; the model's config cannot be read.
    """
    read_config(folder, source)  # transformers looks there for the tokenizer's class, and would blame the tokenizer
    _require_small(folder / "tokenizer.json", source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        # Of a folder without a vocabulary transformers makes a tokenizer to which all words are unknown.
        names = ("tokenizer.json", *tokenizer.vocab_files_names.values())
        if not tokenizer.is_fast or not any((folder / name).is_file() for name in names):
            raise ValueError("it has no tokenizer.json, and none can be made of its files")
    except Exception as error:  # tokenizers raises nothing more special
        truth = f"has no tokenizer that can be read: {str(error).strip().partition(chr(10))[0].rstrip('.')}."
        remedy = "Put its tokenizer.json and tokenizer_config.json beside the weights."
        raise ConfigError(Fault(f"model.source={source}", truth, remedy)) from error
    if tokenizer.pad_token_id is None:  # masked wherever it stands: any token will do
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """As ``AutoTokenizer.from_pretrained`` loads it, padding and cutting on the side that it does here.

    transformers writes no settings but those that it read: Llama's and Gemma's would pad on the left again.
    """
    tokenizer.init_kwargs |= {name: getattr(tokenizer, name) for name in ("padding_side", "truncation_side")}
    tokenizer.save_pretrained(folder)
