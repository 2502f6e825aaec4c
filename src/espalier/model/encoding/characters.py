"""``model/encoding=characters``: each character is a token."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import BPE

from espalier.core.facts import DataFacts
from espalier.model.encoding.learned import PAD, UNKNOWN, AbstractLearned
from espalier.model.encoding.texts import Keep


class Characters(AbstractLearned):
    """The characters (code points) of the training split, as they are; others become ``[UNK]``.

    ``espalier train data=text_file data.path=book.txt model=gpt model/encoding=characters adapter=full``

    Args:
        keep: see ``AbstractLearned``.
    """

    option = "characters"

    def __init__(self, facts: DataFacts, /, *, keep: Keep) -> None:
        super().__init__(facts, keep=keep)

    def learn(self, texts: Sequence[str], /) -> Tokenizer:
        """Pairs that are never merged: what is left are characters."""
        special = [PAD, UNKNOWN, *self.between]
        known = [*special, *sorted(set().union(*texts))]
        vocabulary = {symbol: i for i, symbol in enumerate(known)}
        tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token=UNKNOWN))
        tokenizer.add_special_tokens(special)
        tokenizer.decoder = Fuse()
        return tokenizer
