"""What tells masked tokens from a pretrained encoder's states: the library's own head, tied to the embeddings."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import MODEL_FOR_MASKED_LM_MAPPING
from transformers.modeling_outputs import BaseModelOutput

from espalier.core.errors import ConfigError, Fault
from espalier.model.source import UNREADABLE


class MaskedHead(nn.Module):
    """States (N, width) -> a score for each token of the vocabulary (N, vocabulary).

    It is the head of transformers' ``…ForMaskedLM`` of the architecture. Its weights are those of the checkpoint, where
    it has them (BERT, RoBERTa …); of one without (a sentence encoder) they begin at random. Where the architecture ties
    the head's matrix to the embeddings, it is the trunk's own parameter, under the trunk's name alone, with or without
    a gradient as the adapter has it.

    Args:
        trunk: the encoder, as an adapter made it.
        folder: of the checkpoint that it came from; source: its name, for people.

    Attributes:
        fresh: whether the checkpoint had no head.

    Raises:
        ConfigError: the architecture has no such head; what the adapter learns has no place in the weights, so that no
            plain model could be saved; the checkpoint cannot be read.
    """

    def __init__(self, trunk: nn.Module, folder: Path, source: str) -> None:
        super().__init__()
        _require_mergeable(trunk)
        encoder: Any = _base(trunk)
        kind = type(encoder.config)
        if kind not in MODEL_FOR_MASKED_LM_MAPPING:
            truth = f"is a {encoder.config.model_type}, which learns no masked tokens."
            raise ConfigError(
                Fault(f"model.source={source}", truth, "Choose an encoder: model=minilm, bert, roberta …")
            )
        self.whole, self.fresh = _with_head(MODEL_FOR_MASKED_LM_MAPPING[kind], encoder.config, folder, source)
        setattr(self.whole, self.whole.base_model_prefix, Given())
        last = self.whole.get_output_embeddings()
        if encoder.config.tie_word_embeddings and last is not None:
            # Not as a parameter of its own: it would stand twice in a checkpoint, and be trained where it is frozen.
            del last.weight
            last.__dict__["weight"] = encoder.get_input_embeddings().weight
        _require_apart(self, encoder, source)

    def forward(self, states: Tensor) -> Tensor:
        """Scores of some places' tokens."""
        scores: Tensor = self.whole(inputs_embeds=states.unsqueeze(0)).logits
        return scores.squeeze(0)

    def save(self, trunk: nn.Module, folder: Path) -> None:
        """The whole model, as ``AutoModelForMaskedLM`` loads it; what an adapter learned is added in."""
        part: Any = trunk
        encoder = deepcopy(part).merge_and_unload() if hasattr(part, "peft_config") else part
        prefix = self.whole.base_model_prefix
        state = {f"{prefix}.{name}": value for name, value in encoder.state_dict().items()}
        self.whole.save_pretrained(folder, state_dict={**state, **self.whole.state_dict()})


class Given(nn.Module):
    """Stands for an encoder whose states are there already: what it is given as embeddings, it gives as states."""

    def forward(self, *_: Any, inputs_embeds: Tensor, **__: Any) -> BaseModelOutput:
        """As an encoder's, by names."""
        return BaseModelOutput(last_hidden_state=inputs_embeds)


def _base(trunk: Any) -> nn.Module:
    base: nn.Module = trunk.get_base_model() if hasattr(trunk, "peft_config") else trunk
    return base


def _require_mergeable(trunk: Any) -> None:
    if not hasattr(trunk, "peft_config"):
        return
    if not hasattr(trunk, "merge_and_unload") or trunk.active_peft_config.is_prompt_learning:
        truth = "is to go on as a plain model, and what this adapter learns has no place in its weights."
        raise ConfigError(Fault("task=masked_language_modelling", truth, "Set adapter=full or adapter=lora"))


def _with_head(kind: Any, config: Any, folder: Path, source: str) -> tuple[Any, bool]:
    try:
        whole, info = kind.from_pretrained(
            folder, config=deepcopy(config), dtype=torch.float32, use_safetensors=True, local_files_only=True,
            output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
    except UNREADABLE as error:
        truth = f"could not be read: {str(error).strip().partition(chr(10))[0].rstrip('.')}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Fetch or copy it again.")) from error
    missing = [name for name in info["missing_keys"] if not name.startswith(f"{whole.base_model_prefix}.")]
    return whole.train(), bool(missing)


def _require_apart(head: MaskedHead, encoder: Any, source: str) -> None:
    width = encoder.get_input_embeddings().weight.shape[1]
    try:
        with torch.no_grad():
            head(torch.zeros(1, encoder.config.hidden_size))
    except (AttributeError, RuntimeError, TypeError) as error:
        truth = f"has a head that works with its encoder alone, on states of {width} features: {error}."
        raise ConfigError(Fault(f"model.source={source}", truth, "Choose another encoder, say  model=bert")) from error
