"""``model/encoding=words``: a vocabulary learned on the training split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from annotated_types import Ge, Gt
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFKC, BertNormalizer, Lowercase, Normalizer, Sequence
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import WordLevelTrainer

from espalier.core.columns import Columns
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.pieces import encode_words, ids_of_words, padding, word_roles
from espalier.model.encoding.texts import encode_texts, text_roles

_PAD, _UNKNOWN, _BETWEEN = "[PAD]", "[UNK]", "[SEP]"
_FILE = "tokenizer.json"
_RECIPE = """
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
{limit}

def encode(texts):
    return [encoded.ids or [0] for encoded in tokenizer.encode_batch({texts})]


rows = {rows}  # yours
"""


class Words:
    """Words and punctuation marks of every text column, most frequent first; others become ``[UNK]``.

    Chinese characters are words each. Of data with the columns ``text`` and ``text_pair``, each row is one sequence,
    ``text``, with ``[SEP]`` (2) between the two. Of texts that come as words, each is one token, whatever it holds.

    Args:
        vocab_size: at most so many entries, ``[PAD]`` (0) and ``[UNK]`` (1) included.
        min_frequency: a word must occur so often in the training split.
        lowercase: whether case is dropped.

    Attributes:
        unknown: the id of a word that is not in the vocabulary.
    """

    reads: ClassVar[tuple[str, ...]] = ("text", "words")
    unknown: ClassVar[int] = 1

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        vocab_size: Annotated[int, Gt(2)],
        min_frequency: Annotated[int, Ge(1)],
        lowercase: bool,
    ) -> None:
        self.texts, self.data = text_roles(facts, "words"), facts
        self.pair = "text_pair" if {"text", "text_pair"} <= set(self.texts) else None
        self.roles = ("text",) if self.pair else self.texts
        self.max_length = facts.max_length
        self.vocab_size, self.min_frequency = vocab_size, min_frequency
        self.tokenizer = Tokenizer(WordLevel(unk_token=_UNKNOWN))
        apart = BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
        steps: list[Normalizer] = [NFKC()] + [apart] * bool(self.texts) + [Lowercase()] * lowercase
        self.tokenizer.normalizer = Sequence(steps)
        if self.texts:
            self.tokenizer.pre_tokenizer = BertPreTokenizer()

    def fit(self, raw: Raw, /) -> None:
        """Count the words of the training split."""
        special = [_PAD, _UNKNOWN] + [_BETWEEN] * (self.pair is not None)
        texts = chain.from_iterable(raw.splits["train"][role].to_pylist() for role in self.texts)
        if not self.texts:
            columns = (raw.splits["train"][role].to_pylist() for role in word_roles(self.data))
            texts = chain.from_iterable(chain.from_iterable(columns))
        self.tokenizer.train_from_iterator(
            texts,
            WordLevelTrainer(
                vocab_size=self.vocab_size,
                min_frequency=self.min_frequency,
                special_tokens=special,
                show_progress=False,
            ),
        )
        if self.pair:
            self.tokenizer.post_processor = TemplateProcessing(
                single="$A", pair=f"$A {_BETWEEN} $B", special_tokens=[(_BETWEEN, special.index(_BETWEEN))]
            )

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids per text column, how many there were, and whether the row was truncated."""
        if not self.roles:
            return encode_words(ids_of_words(self.tokenizer, self.max_length), table, self.data)
        return encode_texts(self.tokenizer, table, self.roles, self.max_length, second=self.pair)

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        pad = {**dict.fromkeys(self.roles, 0), **padding(self.data, 0)}
        return {"vocab_size": self.tokenizer.get_vocab_size(), "pad": pad}

    def fingerprint(self) -> str:
        """Of the vocabulary and the length limit."""
        return hashlib.sha256(f"{self.tokenizer.to_str()}{self.roles}{self.max_length}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``tokenizer.json``, as the tokenizers package and ``PreTrainedTokenizerFast(tokenizer_file=…)`` load it."""
        self.tokenizer.save(str(folder / _FILE))

    def load(self, folder: Path, /) -> None:
        """The vocabulary of ``tokenizer.json``."""
        self.tokenizer = Tokenizer.from_file(str(folder / _FILE))

    def recipe(self) -> str:
        """Lines of the tokenizers package that encode texts in the same way: ``encode(texts)``, and some ``rows``."""
        limit = "" if self.max_length is None else f"tokenizer.enable_truncation({self.max_length})\n"
        if not self.roles:
            texts = '[[word or " " for word in words] for words in texts], is_pretokenized=True'
            return _RECIPE.format(limit=limit, texts=texts, rows='[["some", "words"], ["and", "others"]]')
        rows = '[("a text", "its other"), ("one more", "and its")]' if self.pair else '["a text", "another one"]'
        return _RECIPE.format(limit=limit, texts="texts", rows=rows)
