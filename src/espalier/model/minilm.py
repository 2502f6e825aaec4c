"""``model=minilm``: all-MiniLM-L6-v2, a pretrained sentence encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from transformers import BertModel

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.source import locate


class MiniLm(nn.Module):
    """Texts -> sentence vectors of 384 features (Wang et al. 2020, arXiv:2002.10957; sentence-transformers' training).

    ``espalier train model=minilm adapter=lora``

    Args:
        source: hub id of the weights; ``$ESPALIER_MODELS`` and the embedded package are asked first.
        revision: the hub's commit.
        pooling: ``mean`` over a text's tokens, or the first token's state (``cls``).
        dropout: share of states and attention weights dropped in training.

    Shapes: ``batch["text"]`` (B, L) ids and ``batch["text_mask"]`` (B, L) bool -> (B, 384).
    """

    targets: ClassVar[Mapping[str, str]] = {
        "attention": r".*\.attention\.(self\.(query|key|value)|output\.dense)",
        "mlp": r".*layer\.\d+\.(intermediate|output)\.dense",
        "all_linear": r".*layer\..*\.(query|key|value|dense)",
    }

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        source: str,
        revision: str,
        pooling: Literal["mean", "cls"],
        dropout: Annotated[float, Ge(0), Lt(1)],
    ) -> None:
        super().__init__()
        located = locate(source, revision)
        self.origin, self.encoding, self.pooling = located.origin, encoding, pooling
        self.role = next(role for role, kind in facts.kinds.items() if kind == "text")
        self.trunk: nn.Module = BertModel.from_pretrained(
            located.folder,
            add_pooling_layer=False,
            use_safetensors=True,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        self.trunk.config.name_or_path = source  # type: ignore[union-attr]  # what a saved adapter names as its base
        self.width = int(self.trunk.config.hidden_size)  # type: ignore[union-attr,arg-type]

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Sentence vectors, not normalised."""
        mask = batch[f"{self.role}_mask"]
        states = self.trunk(input_ids=batch[self.role], attention_mask=mask.long()).last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)

    def save(self, folder: Path, /) -> None:
        """As ``AutoModel.from_pretrained`` or, with an adapter, ``PeftModel.from_pretrained`` loads it; with its tokenizer."""
        trunk: Any = self.trunk
        with torch.no_grad():
            trunk.save_pretrained(folder)
        self.encoding.save(folder)
