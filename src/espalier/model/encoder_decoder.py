"""``model=encoder_decoder``: a Transformer learned from scratch, that reads one text and writes another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional

from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.pegasus_files import save_as_pegasus
from espalier.model.reading import text_role
from espalier.model.seq2seq_layers import Seq2Seq, Written
from espalier.state.frozen import SCRATCH


class EncoderDecoder(nn.Module):
    """Vaswani et al. 2017 (arXiv:1706.03762), with norms before each part (Xiong et al. 2020, arXiv:2002.04745), and
    one matrix for both sides' embeddings and for the scores of what is written (Press & Wolf 2017, arXiv:1608.05859).

    ``espalier train data=pairs data.path=pairs.csv model=encoder_decoder adapter=full``

    It has ``data.max_length`` positions on either side. Embeddings begin normal, of deviation width^-1/2, and are
    multiplied by width^1/2 where they are read; dense weights begin uniform (Glorot & Bengio 2010), biases at 0.

    Args:
        encoder_layers, decoder_layers: blocks on either side.
        heads: of attention; they share the width.
        width: features of a token.
        hidden: features between a block's two dense layers, with ReLU.
        dropout: of embeddings and of what each part of a block adds, in training.
        attention_dropout: of attention weights, in training; on a CPU it takes the slow way.
        positions: ``sinusoidal``, as in the paper, or ``learned``.

    Attributes:
        source, target: roles of what is read and written.
        start, end: ids from which a target is written, and with which it ends.
        context: tokens that a target may have.

    Shapes: ``batch["source"]`` (B, S) ids with ``batch["source_mask"]`` (B, S) bool, ``batch["target"]`` (B, T) ids,
    all padded on the right -> (B, T, width).

    Raises:
        ConfigError: the heads do not divide the width, or it is odd; the data has no target; there is no
            ``data.max_length``.
    """

    merges: ClassVar[bool] = True
    targets: ClassVar[Mapping[str, str]] = {
        "attention": r".*\.(self_attn|encoder_attn)\.(q_proj|kv_proj|out_proj)",
        "mlp": r".*\.(fc1|fc2)",
        "all_linear": "all-linear",
        "outputs": r".*\.(out_proj|fc2)",
        "mlp_outputs": r".*\.fc2",
    }

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        encoder_layers: Annotated[int, Ge(1)],
        decoder_layers: Annotated[int, Ge(1)],
        heads: Annotated[int, Ge(1)],
        width: Annotated[int, Ge(2)],
        hidden: Annotated[int, Ge(1)],
        dropout: Annotated[float, Ge(0), Lt(1)],
        attention_dropout: Annotated[float, Ge(0), Lt(1)],
        positions: Literal["sinusoidal", "learned"],
    ) -> None:
        super().__init__()
        if width % heads or width % 2:
            step = heads * (1 + heads % 2)
            truth, near = f"does not divide into {heads} heads, or is odd.", width - width % step or step
            raise ConfigError(Fault(f"model.width={width}", truth, f"Set model.width={near}"))
        if facts.max_length is None:
            raise ConfigError(Fault("data.max_length=null", "leaves open how many positions a text has.", "Set it."))
        reads: Any = encoding
        self.origin, self.encoding, self.width, self.context = SCRATCH, encoding, width, facts.max_length
        self.source, self.target = text_role(facts), _target_role(facts)
        self.start, self.end = int(reads.start), int(reads.end)
        self.trunk: nn.Module = Seq2Seq(
            facts.vocab_size, self.context, encoder_layers, decoder_layers, heads, width, hidden, dropout,
            attention_dropout, learned=positions == "learned",
        )  # fmt: skip

    @property
    def tied(self) -> tuple[Any, ...]:
        """The token embedding, by which tokens are told."""
        trunk: Any = self.trunk
        return (trunk.shared,)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """States from which each target token is told, given the source and the target's tokens before it."""
        before = functional.pad(batch[self.target], (1, 0), value=self.start)[:, :-1]
        states: Tensor = self.trunk(batch[self.source], batch[f"{self.source}_mask"], before)
        return states

    def states(self, batch: Mapping[str, Tensor], role: str) -> Tensor:
        """The state of each token of the source, (B, S, width), after the encoder's last norm."""
        trunk: Any = self.trunk
        states: Tensor = trunk.encode(batch[role], batch[f"{role}_mask"])
        return states

    def logits(self, states: Tensor) -> Tensor:
        """States (…, width) -> a score for each token that may come next, (…, vocabulary)."""
        return functional.linear(states, self.trunk.shared.weight)  # type: ignore[union-attr, arg-type]

    def begin(self, batch: Mapping[str, Tensor]) -> Written:
        """Read the sources; what is written of them so far is nothing."""
        trunk: Any = self.trunk
        mask = batch[f"{self.source}_mask"]
        written: Written = trunk.begin(self.states(batch, self.source), mask)
        return written

    def next_logits(self, tokens: Tensor, written: Written) -> Tensor:
        """Scores of what comes behind some tokens, one for each beam of each row: (B, beams) -> (B, beams, vocabulary).

        ``written`` takes the tokens up.
        """
        trunk: Any = self.trunk
        return self.logits(trunk.write(tokens, written))

    def save(self, folder: Path, /) -> None:
        """A checkpoint that ``AutoModelForSeq2SeqLM`` loads; what an adapter learned is added in."""
        save_as_pegasus(self, folder)


def _target_role(facts: DataFacts) -> str:
    role = next((role for role, kind in facts.kinds.items() if kind == "target"), None)
    if role is None:
        truth = f"writes a text, and this data has none to learn from: it has {', '.join(facts.kinds.values())}."
        raise ConfigError(Fault("model=encoder_decoder", truth, "Choose such data:  data=multi30k, data=pairs"))
    return role
