"""``model/encoding=bpe``: byte pairs learned on the training split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as FromBytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from espalier.core.facts import DataFacts
from espalier.model.encoding.learned import PAD, AbstractLearned
from espalier.model.encoding.texts import Keep


class Bpe(AbstractLearned):
    """Bytes, merged pair by pair as they are most frequent (Sennrich et al. 2016, arXiv:1508.07909; over bytes: Radford
    et al. 2019). No text is unknown to it: what was never merged is bytes.

    ``espalier train data=text_file data.path=book.txt model=gpt model/encoding=bpe adapter=full``

    Args:
        vocab_size: tokens, the 256 bytes and ``[PAD]`` (0) among them.
        min_frequency: a pair must occur so often in the training split to be merged.
        keep: see ``AbstractLearned``.
    """

    option = "bpe"

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        vocab_size: Annotated[int, Ge(257)],
        min_frequency: Annotated[int, Ge(1)],
        keep: Keep,
    ) -> None:
        self.vocab_size, self.min_frequency = vocab_size, min_frequency
        super().__init__(facts, keep=keep)

    def learn(self, texts: Sequence[str], /) -> Tokenizer:
        """Words, their blank before them, as GPT-2 tells them apart; then pairs within them."""
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
        tokenizer.decoder = FromBytes()
        tokenizer.train_from_iterator(texts, byte_pairs(self.vocab_size, self.min_frequency, [PAD, *self.between]))
        return tokenizer


def byte_pairs(vocab_size: int, min_frequency: int, special: Sequence[str]) -> BpeTrainer:
    """What merges pairs of bytes; ``special`` tokens have the first ids."""
    return BpeTrainer(
        vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=list(special),
        initial_alphabet=ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
