"""``model=seq2seq``: a pretrained encoder-decoder of transformers, that reads one text and writes another."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional
from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING
from transformers.modeling_outputs import BaseModelOutput

from espalier.core.bounds import HubOrFolder
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.core.parts import Encoding
from espalier.model.encoding.both_sides import BothSides
from espalier.model.source import locate
from espalier.model.targets import OfTransformers
from espalier.model.transformer import Family, load_trunk, read_config

_POSITIONS = 512  # tokens of a text, where nothing says how many


class Seq2SeqLm(OfTransformers, nn.Module):
    """T5, BART and their like, with their own head.

    ``espalier train data=pairs data.path=pairs.csv model=seq2seq model.source=google-t5/t5-small``

    One of many languages at once (NLLB, mBART-50) is told which: ``model.encoding.source_language=eng_Latn
    model.encoding.target_language=deu_Latn``.

    Args:
        source: hub id, or a folder; ``$ESPALIER_MODELS`` is asked before the hub.
        revision: the hub's commit, branch or tag.
        dropout: share of states and attention weights dropped in training, wherever the architecture drops; None: the
            checkpoint's own.

    Attributes:
        source, target: roles of what is read and written.
        start, end: ids from which a target is written, and with which it ends.
        first: the id with which each target begins, its language; or None.
        context: tokens that a target may have.

    Shapes: ``batch["source"]`` (B, S) ids with ``batch["source_mask"]`` (B, S) bool, ``batch["target"]`` (B, T) ids,
    all padded on the right -> (B, T, vocabulary).

    Raises:
        ConfigError: the weights are not at hand, are no safetensors, or no encoder-decoder's; the encoding is not of
            this kind; the model has fewer positions than ``data.max_length``.
    """

    merges: ClassVar[bool] = True

    def __init__(
        self,
        facts: DataFacts,
        /,
        *,
        encoding: Encoding,
        source: Annotated[str, HubOrFolder()],
        revision: str,
        dropout: Annotated[float, Ge(0), Lt(1)] | None,
    ) -> None:
        super().__init__()
        if not isinstance(encoding, BothSides):
            truth = f"reads what model/encoding=both_sides makes, not {type(encoding).__name__}'s columns."
            raise ConfigError(Fault("model=seq2seq", truth, "Set  model/encoding=both_sides"))
        located = locate(source, revision)
        config = read_config(located.folder, source)
        start = getattr(config, "decoder_start_token_id", None)
        if type(config) not in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING or start is None:
            truth = f"is a {config.model_type}, which reads one text and writes no other."
            raise ConfigError(Fault(f"model.source={source}", truth, "Choose an encoder-decoder (T5, BART …)."))
        self.origin, self.encoding = located.origin, encoding
        self.source, self.target = encoding.roles
        self.start, self.end, self.first = int(start), int(encoding.end), encoding.first
        family = Family(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING[type(config)], "text", "mean", {})
        trunk: Any = load_trunk(family, config, located.folder, source, dropout=dropout)
        trunk.name_or_path = trunk.config.name_or_path = located.name
        if self.first is not None:
            trunk.generation_config.forced_bos_token_id = self.first
        self.trunk: nn.Module = trunk
        self.width = int(config.hidden_size)
        named = inspect.signature(trunk.forward).parameters
        self._cache = "cache" if "cache" in named else "past_key_values"  # as transformers calls it from 5.24 on
        limit = getattr(config, "max_position_embeddings", None)
        if limit and facts.max_length and facts.max_length > limit:
            truth = f"is more than the {limit} tokens that {source} has positions for."
            raise ConfigError(Fault(f"data.max_length={facts.max_length}", truth, f"Set data.max_length={limit}"))
        self.context = facts.max_length or limit or _POSITIONS

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Scores of each target token, given the source and the target's tokens before it."""
        before = functional.pad(batch[self.target], (1, 0), value=self.start)[:, :-1]
        mask = batch[f"{self.source}_mask"].long()
        found = self.trunk(
            input_ids=batch[self.source], attention_mask=mask, decoder_input_ids=before, use_cache=False
        )  # fmt: skip
        scores: Tensor = found.logits
        return scores

    def logits(self, scores: Tensor) -> Tensor:
        """They are what ``forward`` gives: each architecture has a head of its own."""
        return scores

    def states(self, batch: Mapping[str, Tensor], role: str) -> Tensor:
        """The encoder's last state of each token of the source, (B, S, width)."""
        trunk: Any = self.trunk
        mask = batch[f"{role}_mask"].long()
        states: Tensor = trunk.get_encoder()(input_ids=batch[role], attention_mask=mask).last_hidden_state
        return states

    def begin(self, batch: Mapping[str, Tensor]) -> Kept:
        """Read the sources; what is written of them so far is nothing."""
        return Kept(self.states(batch, self.source), batch[f"{self.source}_mask"])

    def next_logits(self, tokens: Tensor, written: Kept) -> Tensor:
        """Scores of what comes behind some tokens, one for each beam of each row: (B, beams) -> (B, beams, vocabulary).

        ``written`` takes the tokens up.
        """
        states, mask = written.spread(tokens.shape[1])
        begins = written.cache is None
        found = self.trunk(
            encoder_outputs=BaseModelOutput(last_hidden_state=states), attention_mask=mask.long(),
            decoder_input_ids=tokens.reshape(-1, 1), use_cache=True, **{self._cache: written.cache},
        )  # fmt: skip
        written.cache = found[self._cache]
        scores: Tensor = found.logits[:, -1].unflatten(0, tokens.shape)
        if begins and self.first is not None:  # a text is in its language, however likely another one is
            others = torch.arange(scores.shape[-1], device=scores.device) != self.first
            scores = scores.masked_fill(others, -torch.inf)
        return scores

    def save(self, folder: Path, /) -> None:
        """A checkpoint that ``AutoModelForSeq2SeqLM`` loads; what an adapter learned is added in."""
        trunk: Any = self.trunk
        if hasattr(trunk, "merge_and_unload"):
            trunk = deepcopy(trunk).merge_and_unload()
        trunk.save_pretrained(folder)


class Kept:
    """The encoder's states of B rows, and transformers' cache of what the beams of each have written so far."""

    def __init__(self, states: Tensor, mask: Tensor) -> None:
        self.states, self.mask, self.cache = states, mask, None

    def spread(self, beams: int) -> tuple[Tensor, Tensor]:
        """States and mask of each beam's row, (B * beams, S, width) and (B * beams, S)."""
        return self.states.repeat_interleave(beams, 0), self.mask.repeat_interleave(beams, 0)

    def choose(self, rows: Tensor, beams: Tensor) -> None:
        """Go on with some rows (R,), and in each of them from some of its beams (R, beams)."""
        cache: Any = self.cache
        if cache is not None:
            cache.reorder_cache((rows.unsqueeze(1) * beams.shape[1] + beams).flatten())
        self.states, self.mask = self.states[rows], self.mask[rows]
