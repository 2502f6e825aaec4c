"""``model/encoding=joint_bpe``: one vocabulary of byte pairs for a text and for what is to be written of it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as FromBytes
from tokenizers.decoders import Sequence as InTurn
from tokenizers.decoders import Strip
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.model.encoding.bpe import byte_pairs
from espalier.model.encoding.learned import PAD, AbstractLearned
from espalier.model.encoding.texts import packed

START, END = "[START]", "[END]"
_SPECIAL = (PAD, START, END)


class JointBpe(AbstractLearned):
    """Byte pairs as ``model/encoding=bpe`` has them, learned on both sides of the training split together (Sennrich et
    al. 2016, arXiv:1508.07909, section 3.2). Case is kept; each text ends with ``[END]``, also one that was cut.

    ``espalier train data=pairs data.path=pairs.csv model=encoder_decoder model/encoding=joint_bpe adapter=full``

    Args:
        vocab_size: tokens, the 256 bytes, ``[PAD]`` (0), ``[START]`` (1) and ``[END]`` (2) among them.
        min_frequency: a pair must occur so often in the training split to be merged.

    Attributes:
        start, end: the ids from which a target is written, and with which it ends.

    Raises:
        ConfigError: the data has not one text and one target.
    """

    option = "joint_bpe"
    writes: ClassVar[str] = "target"
    named: ClassVar[Mapping[str, str]] = {"bos_token": START, "eos_token": END}
    start, end = _SPECIAL.index(START), _SPECIAL.index(END)

    def __init__(
        self, facts: DataFacts, /, *, vocab_size: Annotated[int, Ge(259)], min_frequency: Annotated[int, Ge(1)]
    ) -> None:
        self.vocab_size, self.min_frequency = vocab_size, min_frequency
        super().__init__(facts, keep="start")
        written = tuple(role for role, kind in facts.kinds.items() if kind == "target")
        if (len(self.roles), len(written)) != (1, 1) or self.pair:
            truth = f"reads one text and writes another; this data has {', '.join(facts.kinds.values())}."
            raise ConfigError(Fault("model/encoding=joint_bpe", truth, "Choose such data:  data=multi30k, data=pairs"))
        self.roles = (*self.roles, *written)

    def learn(self, texts: Sequence[str], /) -> Tokenizer:
        """Words, each with a blank before it, the first one too; then pairs within them."""
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=True)
        tokenizer.decoder = InTurn([FromBytes(), Strip(" ", 1, 0)])
        tokenizer.train_from_iterator(texts, byte_pairs(self.vocab_size, self.min_frequency, _SPECIAL))
        tokenizer.post_processor = TemplateProcessing(single=f"$A {END}", special_tokens=[(END, self.end)])
        return tokenizer

    def _cut(self, ids: array[int]) -> array[int]:
        if self.max_length is None or len(ids) <= self.max_length:
            return ids
        return packed([*ids[: self.max_length - 1], self.end])
