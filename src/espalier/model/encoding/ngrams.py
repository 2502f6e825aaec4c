"""``model/encoding=ngrams``: hashed word n-grams."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import getsource
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zlib import crc32

import numpy as np
import pyarrow as pa
from annotated_types import Ge

from espalier.core.columns import Columns, Ragged
from espalier.core.facts import DataFacts, Raw
from espalier.core.files import read_json
from espalier.model.encoding.texts import packed, shares, text_roles

_FILE = "ngrams.json"
_SETTINGS = ("buckets", "longest", "lowercase")
_WORD = r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+|[^\w\s]"
"""Words and marks; Chinese and Japanese are not written with spaces: each sign is a word."""

_BETWEEN = "[SEP]"
_RECIPE = """
import re
from zlib import crc32


def encode(texts):
    return [ids({words}) for text in texts]
{joined}


def split(text):
    return re.findall(r"{word}", text{lower})


def ids(words):
    grams = [" ".join(words[i - n:i]) for n in range(1, {longest} + 1) for i in range(n, len(words) + 1)]
    return [1 + crc32(gram.encode()) % {buckets} for gram in grams] or [0]


rows = {rows}  # yours
"""


class Ngrams:
    """Words, pairs of words, … by the hash of their letters (Weinberger et al. 2009, arXiv:0902.2206).

    Words are cut to ``data.max_length`` before n-grams are made. Of a pair of texts, ``text`` and ``text_pair``, the
    words follow each other with ``[SEP]`` between them, in the column ``text``; the longer one is cut first. Id 0 pads.
    The hash is CRC-32 of UTF-8: the same in every process and on every machine.

    Args:
        buckets: ids that n-grams are spread over.
        longest: words of the longest n-gram.
        lowercase: whether case is dropped.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        buckets: Annotated[int, Ge(1)],
        longest: Annotated[int, Ge(1)],
        lowercase: bool,
    ) -> None:
        roles = text_roles(facts, "ngrams")
        self.pair = {"text", "text_pair"} <= set(roles)
        self.roles = ("text",) if self.pair else roles
        self.max_length = facts.max_length
        self.buckets, self.longest, self.lowercase = buckets, longest, lowercase

    def fit(self, raw: Raw, /) -> None:
        """Nothing: a hash knows every word."""

    def apply(self, table: pa.Table, /) -> Columns:
        """Ids of each text column; ``length`` (rows,) int32: words before cutting; ``truncated`` (rows,) bool."""
        lengths = np.zeros(table.num_rows, np.int32)
        columns: dict[str, Ragged] = {}
        for role in self.roles:
            rows = [self._words(text) for text in table[role].to_pylist()]
            beside = [self._words(text) for text in table["text_pair"].to_pylist()] if self.pair else []
            whole = [len(a) + 1 + len(b) for a, b in zip(rows, beside, strict=True)] if beside else map(len, rows)
            lengths = np.maximum(lengths, np.fromiter(whole, np.int32, len(rows)))
            cut = map(self._joined, rows, beside) if beside else (words[: self.max_length] for words in rows)
            columns[role] = Ragged.of([packed(self._ids(words)) for words in cut])
        truncated = lengths > (np.inf if self.max_length is None else self.max_length)
        return {**columns, "length": lengths, "truncated": truncated}

    def _words(self, text: str) -> list[str]:
        return re.findall(_WORD, text.lower() if self.lowercase else text)

    def _joined(self, first: Sequence[str], second: Sequence[str]) -> list[str]:
        """Two texts as one; of the two, the longer one is cut first."""
        if self.max_length is None:
            return [*first, _BETWEEN, *second]
        a, b = shares(len(first), len(second), max(0, self.max_length - 1))
        return [*first[:a], _BETWEEN, *second[:b]]

    def _ids(self, words: Sequence[str]) -> list[int]:
        return [1 + crc32(gram.encode()) % self.buckets for gram in _ngrams(words, self.longest)] or [0]

    def facts(self) -> Mapping[str, Any]:
        """The number of ids and what pads."""
        return {"vocab_size": self.buckets + 1, "pad": dict.fromkeys(self.roles, 0)}

    def fingerprint(self) -> str:
        """Of the settings and the length limit."""
        content = (self.roles, self.pair, self.max_length, self.buckets, self.longest, self.lowercase)
        return hashlib.sha256(f"ngrams {content}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``ngrams.json``: the settings; a recipe says what they mean."""
        content = {name: getattr(self, name) for name in _SETTINGS}
        (folder / _FILE).write_text(json.dumps(content) + "\n")

    def load(self, folder: Path, /) -> None:
        """The settings of ``ngrams.json``; the limit of length stays that of the data."""
        content = read_json(folder / _FILE)
        vars(self).update({name: content[name] for name in _SETTINGS})

    def _joining(self) -> str:
        """``_joined`` as plain Python."""
        lines = ["", "def joined(first, second):", f"    return first + [{_BETWEEN!r}] + second", ""]
        if self.max_length is not None:
            room = max(0, self.max_length - 1)
            lines[2:2] = [
                f"    a, b = shares(len(first), len(second), {room})",
                "    first, second = first[:a], second[:b]",
            ]
            lines[:0] = ["", getsource(shares)]
        return "\n".join(lines)

    def recipe(self) -> str:
        """Plain Python that encodes texts in the same way: ``encode(texts)``, and some ``rows``."""
        words = "joined(split(text[0]), split(text[1]))" if self.pair else "split(text)"
        limit = self.max_length
        return _RECIPE.format(
            words=words if self.pair or limit is None else f"{words}[:{limit}]",
            joined=self._joining() if self.pair else "",
            word=_WORD,
            lower=".lower()" if self.lowercase else "",
            longest=self.longest,
            buckets=self.buckets,
            rows='[("a text", "its other"), ("one more", "and its")]' if self.pair else '["a text", "another one"]',
        )


def _ngrams(words: Sequence[str], longest: int) -> Iterator[str]:
    for size in range(1, longest + 1):
        for end in range(size, len(words) + 1):
            yield " ".join(words[end - size : end])
