"""``model=hub``: any transformers model as a backbone; ``minilm``, ``bert``, ``gpt2`` … are presets of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from espalier.core.bounds import HubOrFolder, Needs
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.home import folder_of
from espalier.core.parts import Encoding
from espalier.model.encoding.image import Image
from espalier.model.encoding.pretrained import Pretrained
from espalier.model.masked_head import MaskedHead
from espalier.model.recipe import image_recipe, text_recipe, window_recipe, word_recipe
from espalier.model.source import locate
from espalier.model.targets import OfTransformers
from espalier.model.transformer import Family, Pooling, family_of, load_trunk, read_config
from espalier.state.layers import positions_of


class Transformer(OfTransformers, nn.Module):
    """Texts, pairs of texts or images -> one vector each, by a pretrained encoder, decoder, or T5's encoder.

    ``espalier train model=hub model.source=microsoft/deberta-v3-small adapter=lora``

    Args:
        source: hub id, or a folder; ``$ESPALIER_MODELS`` and the embedded package are asked before the hub.
        revision: the hub's commit, branch or tag.
        pooling: ``mean`` over a row's tokens or patches, the first one's state (``cls``), or the ``last`` token's;
            ``auto``: ``last`` for decoders, ``mean`` for T5, ``cls`` where there is such a token.
        dropout: share of states and attention weights dropped in training, wherever the architecture drops; None: the
            checkpoint's own.
        quantize: keep the weights of dense layers in 4 or 8 bits, frozen: for an adapter beside them; None: in fp32.

    Shapes: ``batch["text"]`` (B, L) ids and ``batch["text_mask"]`` (B, L) bool, padded on the right, or
    ``batch["image"]`` (B, C, H, W) bytes -> (B, width).

    Raises:
        ConfigError: the weights are not at hand, are no safetensors, or not of a known architecture; the model reads no
            such data, or no texts as long as ``data.max_length``.
    """

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        source: Annotated[str, HubOrFolder()],
        revision: str,
        pooling: Literal["auto", "mean", "cls", "last"],
        dropout: Annotated[float, Ge(0), Lt(1)] | None,
        quantize: Annotated[Literal["4bit", "8bit"], Needs("bitsandbytes")] | None,
    ) -> None:
        super().__init__()
        located = locate(source, revision)
        config = read_config(located.folder, source)
        self.family = family_of(config, source)
        self.origin, self.encoding, self.folder = located.origin, encoding, located.folder
        self.source, self.max_length = located.name, facts.max_length
        self.role = _role(facts, encoding, self.family, source)
        self.transform = encoding.transform() if isinstance(encoding, Image) else None
        self.quantize = quantize
        trunk: Any = load_trunk(self.family, config, located.folder, source, dropout=dropout, quantize=quantize)
        self.trunk: nn.Module = trunk
        self.name_base(located.name, revision)
        self.width = int(getattr(config, "word_embed_proj_dim", config.hidden_size))  # OPT projects its states
        self.pooling = _pooling(self.family, trunk) if pooling == "auto" else pooling
        typed = getattr(config, "type_vocab_size", 1) > 1
        self.separator = encoding.separator if isinstance(encoding, Pretrained) and typed else None
        limit = positions_of(trunk) if self.family.reads == "text" else None
        if limit and facts.max_length and facts.max_length > limit:
            truth = f"is more than the {limit} tokens that {source} has positions for."
            raise ConfigError(Fault(f"data.max_length={facts.max_length}", truth, f"Set data.max_length={limit}"))

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """One vector for each row, not normalised; padding has no influence."""
        if self.transform is not None:
            states: Tensor = self.trunk(pixel_values=self.transform(batch[self.role])).last_hidden_state
            return states.mean(1) if self.pooling == "mean" else states[:, 0 if self.pooling == "cls" else -1]
        states, mask = self.states(batch), batch[f"{self.role}_mask"]
        if self.pooling == "cls":
            return states[:, 0]
        if self.pooling == "last":
            return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
        weights = mask.unsqueeze(-1).to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)

    def states(self, batch: Mapping[str, Tensor], /, role: str = "") -> Tensor:
        """The last layer's state of each token of a column of texts, (B, L, width); ``role``: if not its own column."""
        ids, mask = batch[role or self.role], batch[f"{role or self.role}_mask"]
        given = dict(self.family.extra)
        if self.separator is not None:
            given["token_type_ids"] = _types(ids == self.separator, mask)
        states: Tensor = self.trunk(input_ids=ids, attention_mask=mask.long(), **given).last_hidden_state
        return states[:, -ids.shape[1] :]  # without what an adapter puts before a text

    def masked_head(self) -> MaskedHead:
        """What tells hidden tokens from ``states``; see ``model.masked_head``."""
        return MaskedHead(self.trunk, self.folder, self.source)

    def name_base(self, name: str, revision: str) -> None:
        """What a saved adapter calls the model that it belongs to; said before there is one."""
        trunk: Any = self.trunk
        self.base, self.revision = name, revision
        trunk.name_or_path = trunk.config.name_or_path = name

    def save(self, folder: Path, /) -> None:
        """The model (or adapter, as PEFT has it), as its class's ``from_pretrained`` loads it."""
        save_trunk(self.trunk, folder, self.base, self.revision)

    def recipe(self) -> str:
        """Lines of transformers (and PEFT) that load what ``save`` wrote."""
        if isinstance(self.encoding, Image) and self.transform is not None:
            return image_recipe(
                self.trunk, self.base, self.revision, pooling=self.pooling, pixels=self.transform.code(),
                shape=self.encoding.shape,
            )  # fmt: skip
        encoding = self.encoding
        if isinstance(encoding, Pretrained) and encoding.reading:
            return window_recipe(
                self.trunk, self.base, self.revision, max_length=self.max_length, overlap=encoding.data.overlap,
                joint=encoding.joint, types=self.separator is not None,
            )  # fmt: skip
        if isinstance(encoding, Pretrained) and not encoding.roles:
            return word_recipe(self.trunk, self.base, self.revision, max_length=self.max_length)
        joint = encoding.joint if isinstance(encoding, Pretrained) and encoding.pair else None
        return text_recipe(
            self.trunk, self.base, self.revision, pooling=self.pooling, max_length=self.max_length,
            joint=joint, types=self.separator is not None,
        )  # fmt: skip


def save_trunk(trunk: Any, folder: Path, source: str, revision: str) -> None:
    """Its files, or those of what an adapter learned beside it, which name the model that they belong to."""
    adapted = hasattr(trunk, "peft_config")
    for config in trunk.peft_config.values() if adapted else ():
        config.revision = None if folder_of(source) else revision
    # Left to itself, PEFT asks the hub whether the vocabulary is the base model's.
    trunk.save_pretrained(folder, **({"save_embedding_layers": False} if adapted else {}))


def _pooling(family: Family, trunk: nn.Module) -> Pooling:
    """As the architecture does."""
    has_cls = family.reads == "text" or any(name.endswith("cls_token") for name, _ in trunk.named_parameters())
    return family.pooling if has_cls else "mean"


def _types(ends: Tensor, mask: Tensor) -> Tensor:
    """0 up to the first text's end (``[SEP]``), 1 behind it; 0 in the padding."""
    return (ends.cumsum(1) - ends.long()).clamp(max=1) * mask


def _role(facts: DataFacts, encoding: Encoding, family: Family, source: str) -> str:
    """The column that it reads.

    Raises:
        ConfigError: the encoding is not of the model's kind.
    """
    made, option = ("image", "image") if isinstance(encoding, Image) else ("text", "pretrained")
    if made != family.reads:
        fitting = "image" if family.reads == "image" else "pretrained"
        truth = f"reads {family.reads}s, and model/encoding={option} makes {made}s."
        raise ConfigError(Fault(f"model.source={source}", truth, f"Set model/encoding={fitting}, or another model."))
    roles = [role for role, kind in facts.kinds.items() if kind in (made, "words" if made == "text" else made)]
    return made if made in roles else roles[0]
