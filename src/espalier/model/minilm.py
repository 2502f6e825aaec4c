"""``model=minilm``: all-MiniLM-L6-v2, a pretrained sentence encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Lt
from torch import Tensor, nn
from transformers import BertModel

from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.source import locate

_RECIPE = """
import torch
{imports}from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
{model}model.eval().float()


def features(texts):
    batch = tokenizer(texts, return_tensors="pt", padding=True, truncation={truncation}, max_length={max_length})
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    return {pooled}


rows = ["a text", "another one"]  # yours
"""
_WHOLE = 'model = AutoModel.from_pretrained(".")\n'
_ADAPTED = """
base = "{source}"  # on the hub, or the path of a folder that holds it
model = AutoModel.from_pretrained(base, revision="{revision}")
model = PeftModel.from_pretrained(model, ".")
"""


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
        self.source, self.revision, self.max_length = located.name, revision, facts.max_length
        self.role = next(role for role, kind in facts.kinds.items() if kind == "text")
        trunk: Any = BertModel.from_pretrained(
            located.folder,
            add_pooling_layer=False,
            use_safetensors=True,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        trunk.config.name_or_path = located.name  # what a saved adapter names as its base
        self.trunk: nn.Module = trunk.train()  # from_pretrained leaves it in evaluation mode, without dropout
        self.width = int(trunk.config.hidden_size)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Sentence vectors, not normalised."""
        mask = batch[f"{self.role}_mask"]
        states: Tensor = self.trunk(input_ids=batch[self.role], attention_mask=mask.long()).last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)

    def save(self, folder: Path, /) -> None:
        """Encoder (or adapter, as PEFT has it) and tokenizer, as their classes' ``from_pretrained`` loads them."""
        trunk: Any = self.trunk
        adapted = hasattr(trunk, "peft_config")
        # Left to itself, PEFT asks the hub whether the vocabulary is the base model's.
        trunk.save_pretrained(folder, **({"save_embedding_layers": False} if adapted else {}))

    def recipe(self) -> str:
        """Lines of transformers (and PEFT) that load what ``save`` wrote."""
        adapted = hasattr(self.trunk, "peft_config")
        return _RECIPE.format(
            imports="from peft import PeftModel\n" if adapted else "",
            model=_ADAPTED.format(source=self.source, revision=self.revision).lstrip() if adapted else _WHOLE,
            truncation=self.max_length is not None,
            max_length=self.max_length,
            pooled="(states * mask).sum(1) / mask.sum(1)" if self.pooling == "mean" else "states[:, 0]",
        )
