"""``model=bag``: a text is the mean of its n-grams' embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Lt
from torch import Tensor, nn

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.reading import encoding_lines, text_role
from espalier.model.weights import as_code, save_weights
from espalier.state.frozen import SCRATCH

_RECIPE = """
import torch
from safetensors.torch import load_file
from torch import nn

{encode}


trunk = {trunk}
trunk.load_state_dict({{"weight": load_file("model.safetensors")["trunk.weight"]}})
trunk.float()


def features(texts):
    found = [torch.tensor(row) for row in encode(texts)]
    with torch.inference_mode():
        return trunk(nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=trunk.padding_idx))
"""


class Bag(nn.Module):
    """The mean of embeddings, whatever their order: with hashed word pairs and a linear head this is fastText.

    Joulin et al. 2016, arXiv:1607.01759. It trains in seconds, and says what a larger model has to beat.

    ``espalier train model=bag adapter=full optimizer.lr=0.01``

    Args:
        embedding: features of an n-gram, and of a text.
        dropout: on the mean, in training.

    Shapes: ``batch["text"]`` (B, L) ids, padded -> (B, embedding).
    """

    targets: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        embedding: Annotated[int, Ge(1)],
        dropout: Annotated[float, Ge(0), Lt(1)],
    ) -> None:
        super().__init__()
        self.origin, self.encoding, self.width = SCRATCH, encoding, embedding
        self.role = text_role(facts)
        # What pads is not in the mean; a text without a word is a vector of zeros.
        padding = facts.pad[self.role]
        self.trunk: nn.Module = nn.EmbeddingBag(facts.vocab_size, embedding, mode="mean", padding_idx=padding)
        self.dropout = nn.Dropout(dropout)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The mean embedding of each text."""
        features: Tensor = self.dropout(self.trunk(batch[self.role]))
        return features

    def save(self, folder: Path, /) -> None:
        """``model.safetensors``."""
        save_weights(self, folder)

    def recipe(self) -> str:
        """Plain torch that loads what ``save`` wrote."""
        trunk: Any = self.trunk
        return _RECIPE.format(encode=encoding_lines(self.encoding), trunk=as_code(trunk))
