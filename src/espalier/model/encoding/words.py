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
from tokenizers.normalizers import NFKC, Lowercase, Normalizer, Sequence
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordLevelTrainer

from espalier.core.columns import Columns
from espalier.core.facts import DataFacts, Raw
from espalier.model.encoding.texts import encode_texts, text_roles

_PAD, _UNKNOWN = "[PAD]", "[UNK]"


class Words:
    """Words and punctuation marks of every text column, most frequent first; others become ``[UNK]``.

    Args:
        vocab_size: at most so many entries, ``[PAD]`` (0) and ``[UNK]`` (1) included.
        min_frequency: a word must occur so often in the training split.
        lowercase: whether case is dropped.
    """

    reads: ClassVar[tuple[str, ...]] = ("text",)

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        vocab_size: Annotated[int, Gt(2)],
        min_frequency: Annotated[int, Ge(1)],
        lowercase: bool,
    ) -> None:
        self.roles = text_roles(facts, "words")
        self.max_length = facts.max_length
        self.vocab_size, self.min_frequency = vocab_size, min_frequency
        self.tokenizer = Tokenizer(WordLevel(unk_token=_UNKNOWN))
        steps: list[Normalizer] = [NFKC()] + [Lowercase()] * lowercase
        self.tokenizer.normalizer = Sequence(steps)
        self.tokenizer.pre_tokenizer = BertPreTokenizer()

    def fit(self, raw: Raw, /) -> None:
        """Count the words of the training split."""
        texts = chain.from_iterable(raw.splits["train"][role].to_pylist() for role in self.roles)
        self.tokenizer.train_from_iterator(
            texts,
            WordLevelTrainer(
                vocab_size=self.vocab_size,
                min_frequency=self.min_frequency,
                special_tokens=[_PAD, _UNKNOWN],
                show_progress=False,
            ),
        )

    def apply(self, table: pa.Table, /) -> Columns:
        """Token ids per text column, and whether the row was truncated."""
        return encode_texts(self.tokenizer, table, self.roles, self.max_length)

    def facts(self) -> Mapping[str, Any]:
        """The size of the vocabulary and what pads."""
        return {"vocab_size": self.tokenizer.get_vocab_size(), "pad": dict.fromkeys(self.roles, 0)}

    def fingerprint(self) -> str:
        """Of the vocabulary and the length limit."""
        return hashlib.sha256(f"{self.tokenizer.to_str()}{self.roles}{self.max_length}".encode()).hexdigest()

    def save(self, folder: Path, /) -> None:
        """``tokenizer.json``, as the tokenizers package and ``PreTrainedTokenizerFast(tokenizer_file=…)`` load it."""
        self.tokenizer.save(str(folder / "tokenizer.json"))
