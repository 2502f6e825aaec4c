"""``model/encoding=pretrained``: the tokenizer that belongs to pretrained weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from transformers import AutoTokenizer

from espalier.core.columns import Columns
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.texts import encode_texts, text_roles
from espalier.model.source import locate


class Pretrained:
    """A fast tokenizer from a model's folder; learns nothing.

    Args:
        source: hub id, as the model's.
        revision: the hub's commit, where the hub is asked.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(self, facts: DataFacts, /, *, source: str, revision: str) -> None:
        self.roles = text_roles(facts, "pretrained")
        self.max_length = facts.max_length
        folder = locate(source, revision).folder
        self.tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.backend = self.tokenizer.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()

    def fit(self, raw: Raw, /) -> None:
        """Nothing: the vocabulary came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids per text column with the model's special tokens, and whether the row was truncated."""
        special = self.backend.encode("a").special_tokens_mask
        closing = special[::-1].index(0)  # how many special tokens end a text
        return encode_texts(self.backend, table, self.roles, self.max_length, closing=closing)

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": len(self.tokenizer), "pad": dict.fromkeys(self.roles, self.tokenizer.pad_token_id or 0)}

    def fingerprint(self) -> str:
        """Of the tokenizer's file content and the length limit."""
        return hashlib.sha256(f"{self.backend.to_str()}{self.roles}{self.max_length}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """As ``AutoTokenizer.from_pretrained`` loads it."""
        self.tokenizer.save_pretrained(folder)
