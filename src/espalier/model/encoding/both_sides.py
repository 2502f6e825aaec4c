"""``model/encoding=both_sides``: a pretrained tokenizer for a text and for what is to be written of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from espalier.core.columns import Columns
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.pretrained import read_tokenizer, save_tokenizer
from espalier.model.encoding.texts import encode_texts, text_roles
from espalier.model.source import locate


class BothSides:
    """A fast tokenizer from an encoder-decoder's folder; learns nothing. Each text ends as the tokenizer ends texts.

    Args:
        source: hub id or folder, as the model's.
        revision: the hub's commit, where the hub is asked.
        prefix: stands before each source: ``"translate English to German: "`` for T5.

    Attributes:
        tokenizer: transformers' own.
        end: the id that ends a text.

    Raises:
        ConfigError: the tokenizer or the model's config cannot be read, the tokenizer ends no texts, or the data has
            not one text and one target.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)
    writes: ClassVar[str] = "target"

    def __init__(self, facts: DataFacts, /, *, source: str, revision: str, prefix: str) -> None:
        read = text_roles(facts, "both_sides")
        written = tuple(role for role, kind in facts.kinds.items() if kind == "target")
        if (len(read), len(written)) != (1, 1):
            truth = f"reads one text and writes another; this data has {', '.join(facts.kinds.values())}."
            raise ConfigError(Fault("model/encoding=both_sides", truth, "Choose such data:  data=multi30k, data=pairs"))
        self.source, self.roles = read[0], (*read, *written)
        self.max_length, self.prefix = facts.max_length, prefix
        self.tokenizer = read_tokenizer(locate(source, revision).folder, source)
        self.backend = self.tokenizer.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()
        self.end = self.tokenizer.eos_token_id
        if self.end is None or self.backend.encode("a").ids[-1] != self.end:
            truth = "has a tokenizer that puts no token behind a text: nothing would say where one ends."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose an encoder-decoder (T5, BART …)."))

    def fit(self, raw: Raw, /) -> None:
        """Nothing: the vocabulary came with the weights."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids of either side that is there, how many there were, and whether the row was truncated."""
        there = [role for role in self.roles if role in table.column_names]
        texts = {role: table[role].to_pylist() for role in there}
        texts[self.source] = [self.prefix + text for text in texts[self.source]]
        return encode_texts(self.backend, pa.table(texts), there, self.max_length, empty=self.end)

    def decode(self, ids: Sequence[int], /) -> str:
        """The text of some ids, without special ones."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": len(self.tokenizer), "pad": dict.fromkeys(self.roles, self.tokenizer.pad_token_id)}

    def fingerprint(self) -> str:
        """Of the tokenizer's file content, the prefix and the length limit."""
        told = f"{self.backend.to_str()}{self.roles}{self.max_length}{self.prefix}"
        return hashlib.sha256(told.encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """As ``AutoTokenizer.from_pretrained`` loads it."""
        save_tokenizer(self.tokenizer, folder)

    def load(self, folder: Path, /) -> None:
        """Nothing: it comes from where the weights come from."""
