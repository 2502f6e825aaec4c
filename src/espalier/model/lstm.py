"""``model=lstm``: embedding -> (bi)LSTM -> one vector per text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.reading import encoding_lines, text_role
from espalier.model.recipe import adapting
from espalier.model.weights import as_code, save_weights
from espalier.state.frozen import SCRATCH

_RECIPE = """
import torch
{imports}from safetensors.torch import load_file
from torch import nn

{encode}


trunk = nn.ModuleDict({{"embedding": {embedding}, "lstm": {lstm}}})
weights = load_file("model.safetensors")
trunk.load_state_dict({{name.removeprefix("trunk."): value for name, value in weights.items()}})
{adapted}trunk.eval().float()
embedding, lstm = trunk.embedding, trunk.lstm
"""
_FEATURES = """

def features(texts):
    found = [torch.tensor(row) for row in encode(texts)]
    with torch.inference_mode():
        packed = nn.utils.rnn.pack_sequence([embedding(row) for row in found], enforce_sorted=False)
        states, (last, _) = lstm(packed)
        states, lengths = nn.utils.rnn.pad_packed_sequence(states, batch_first=True, padding_value={padding})
        return {pooled}
"""
_STATES = """

def states(rows):  # lists of words -> for each word its state, None where the model sees none of it
    found = [torch.tensor(row) for row in encode(rows)]
    with torch.inference_mode():
        read = [lstm(embedding(row))[0] for row in found]
    return [[row[i] if i < len(row) else None for i in range(len(words))] for row, words in zip(read, rows)]
"""
_POOLED = {  # pooling -> what pads the states, and the vector of each text
    "max": ('float("-inf")', "states.amax(1)"),
    "mean": ("0.0", "states.sum(1) / lengths.unsqueeze(-1)"),
    "last": ("0.0", "torch.cat(list(last[-{directions}:]), dim=-1)"),
}


class Lstm(nn.Module):
    """A recurrent encoder (Hochreiter & Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735), learned from scratch.

    ``espalier train model=lstm adapter=full``

    Args:
        embedding: features of a word.
        embedding_std: deviation from 0 with which they begin, normally distributed.
        hidden: features of the state, each way.
        layers: LSTMs on top of each other.
        bidirectional: read each text from both ends.
        pooling: over a text's states: ``max``, ``mean``, or the ``last`` state of each direction.
        dropout: on embeddings, between layers, and on the pooled vector.
        word_dropout: share of the words of a training text that are read as unknown ones, which the model so learns to
            do with (Iyyer et al. 2015, https://aclanthology.org/P15-1162; there they are left out).

    Shapes: ``batch["text"]`` (B, L) ids and ``batch["text_mask"]`` (B, L) bool -> (B, hidden x directions); texts that
    come as words are under ``words`` in the same way.
    """

    targets: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        embedding: Annotated[int, Ge(1)],
        embedding_std: Annotated[float, Gt(0)],
        hidden: Annotated[int, Ge(1)],
        layers: Annotated[int, Ge(1)],
        bidirectional: bool,
        pooling: Literal["max", "mean", "last"],
        dropout: Annotated[float, Ge(0), Lt(1)],
        word_dropout: Annotated[float, Ge(0), Lt(1)],
    ) -> None:
        super().__init__()
        self.origin, self.encoding, self.pooling = SCRATCH, encoding, pooling
        self.word_dropout, self.unknown = word_dropout, int(getattr(encoding, "unknown", 0))
        self.role = text_role(facts)
        self.reads_words = facts.kinds[self.role] == "words"
        self.width = hidden * (1 + bidirectional)
        self.dropout = nn.Dropout(dropout)
        between = dropout if layers > 1 else 0.0
        words = nn.Embedding(facts.vocab_size, embedding, padding_idx=facts.pad[self.role])
        with torch.no_grad():
            words.weight.mul_(embedding_std)
        self.trunk: nn.Module = nn.ModuleDict(
            {
                "embedding": words,
                "lstm": nn.LSTM(
                    embedding, hidden, layers, batch_first=True, bidirectional=bidirectional, dropout=between
                ),
            }
        )

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """One vector per text; padding has no influence."""
        mask = batch[f"{self.role}_mask"]
        states, last = self._read(batch[self.role], mask)
        if self.pooling == "last":
            directions = self.width // last.shape[-1]
            pooled = torch.cat(list(last[-directions:]), dim=-1)
        else:
            pooled = _pool(states, mask.unsqueeze(-1), self.pooling)
        features: Tensor = self.dropout(pooled)
        return features

    def states(self, batch: Mapping[str, Tensor], /, role: str = "") -> Tensor:
        """The last layer's state of each token of a column, (B, L, width); ``role``: if not its own column."""
        states, _ = self._read(batch[role or self.role], batch[f"{role or self.role}_mask"])
        dropped: Tensor = self.dropout(states)
        return dropped

    def _read(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, L, width), zero in the padding, and the last ones (layers x directions, B, hidden)."""
        if self.training and self.word_dropout:
            dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = torch.where(dropped & mask, self.unknown, ids)
        embedded = self.dropout(self.trunk.embedding(ids))  # type: ignore[operator]
        packed = pack_padded_sequence(embedded, mask.sum(1).cpu(), batch_first=True, enforce_sorted=False)
        device = embedded.device.type  # on GPUs autocast brings a recurrent layer to fp16, whichever precision is asked
        with torch.autocast(device, enabled=device == "cpu" and torch.is_autocast_enabled(device)):
            states, (last, _) = self.trunk.lstm(packed)  # type: ignore[operator]
        padded, _ = pad_packed_sequence(states, batch_first=True, total_length=mask.shape[1])
        return padded, last

    def save(self, folder: Path, /) -> None:
        """``model.safetensors``."""
        save_weights(self, folder)

    def recipe(self) -> str:
        """Plain torch that loads what ``save`` wrote."""
        trunk: Any = self.trunk
        padding, pooled = _POOLED[self.pooling]
        imports, adapted = adapting(trunk, "trunk") if hasattr(trunk, "peft_config") else ([], "")
        loading = _RECIPE.format(
            encode=encoding_lines(self.encoding), embedding=as_code(trunk.embedding), lstm=as_code(trunk.lstm),
            imports="".join(f"{line}\n" for line in imports), adapted=adapted,
        )  # fmt: skip
        if self.reads_words:
            return loading + _STATES
        directions = 1 + trunk.lstm.bidirectional
        return loading + _FEATURES.format(padding=padding, pooled=pooled.format(directions=directions))


def _pool(states: Tensor, mask: Tensor, how: str) -> Tensor:
    if how == "max":
        return states.masked_fill(~mask, float("-inf")).amax(1)
    return (states * mask).sum(1) / mask.sum(1)
