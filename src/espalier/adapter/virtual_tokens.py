"""Trained vectors before each text of a frozen transformer: what ``prompt``, ``p_tuning`` and ``prefix`` share."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from peft import PromptLearningConfig, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel

from espalier.adapter.inject import require_apart
from espalier.core.errors import ConfigError, Fault
from espalier.core.facts import DataFacts
from espalier.state.layers import UNFIT, least_input, positions_of

_CACHES = ("past_key_values", "cache")  # by either name transformers' models take keys and values of earlier tokens


def put_before(backbone: nn.Module, config: PromptLearningConfig, facts: DataFacts, option: str) -> nn.Module:
    """Freeze the backbone and let PEFT put ``config.num_virtual_tokens`` trained ones before each text.

    A frozen backbone stays in evaluation mode. PEFT leaves out token types: of pairs, the second text is told from the
    first by its separator alone.

    Raises:
        ConfigError: the trunk reads no tokens, takes no keys and values of earlier ones, or has no positions left; the
            model's files have no place for these, or PEFT cannot put any before what this model reads.
    """
    part: Any = backbone
    trunk = part.trunk
    if not isinstance(trunk, PreTrainedModel) or trunk.main_input_name != "input_ids":
        truth = f"puts tokens before a text, and {type(backbone).__name__} is no transformer that reads tokens."
        raise ConfigError(Fault(f"adapter={option}", truth, "Try adapter=full."))
    if option == "prefix" and not _takes_keys(trunk):
        truth = f"needs attention that takes earlier keys and values, and a {type(trunk).__name__} takes none."
        raise ConfigError(Fault("adapter=prefix", truth, "Try adapter=prompt."))
    require_apart(backbone, option)
    limit, taken = positions_of(trunk), config.num_virtual_tokens
    if limit and (facts.max_length or limit) + taken > limit:
        truth = f"and data.max_length={facts.max_length} are more than the {limit} positions of the model."
        remedy = (
            f"Set data.max_length={limit - taken}" if taken < limit else f"Set adapter.tokens={limit // 2} at most."
        )
        raise ConfigError(Fault(f"adapter.tokens={taken}", truth, remedy))
    backbone.eval().requires_grad_(False)
    # What it leaves out and how transformers will call things one day are no news at each step.
    warnings.filterwarnings("ignore", message="Token type ids are not supported")
    warnings.filterwarnings("ignore", message="`past_key_values` is deprecated")
    try:
        part.trunk = get_peft_model(trunk, _sized(config, trunk, option))
        heard = _tried(part.trunk, trunk).requires_grad
    except UNFIT as error:
        reason = " ".join(str(error).partition(". ")[0].split()).rstrip(".")
        truth = f"does not fit a {type(trunk).__name__} as PEFT has it: {reason}."
        raise ConfigError(Fault(f"adapter={option}", truth, _other(option))) from error
    if not heard:
        truth = f"changes nothing that a {type(trunk).__name__} gives: it does not read what is put before."
        raise ConfigError(Fault(f"adapter={option}", truth, _other(option)))
    return backbone


def _takes_keys(trunk: PreTrainedModel) -> bool:
    named = inspect.signature(trunk.forward).parameters.keys()
    return not trunk.config.is_encoder_decoder and any(name in named for name in _CACHES)


def _sized(config: PromptLearningConfig, trunk: Any, option: str) -> PromptLearningConfig:
    """With the sizes that PEFT would look for by some architectures' names alone, or take from the layers' width.

    Words may be narrower than layers (ALBERT, ELECTRA, OPT), and what takes their place is as wide as they are.
    """
    known = trunk.config  # under one name by its ``attribute_map``, whatever the architecture writes into its file
    if option != "prefix":
        config.token_dim = trunk.get_input_embeddings().weight.shape[1]
    config.num_layers = getattr(known, "num_hidden_layers", None)
    config.num_attention_heads = getattr(known, "num_attention_heads", None) or (None if option == "prefix" else 1)
    return config


def _tried(adapted: Any, trunk: Any) -> Tensor:
    """What it gives of two tokens."""
    states: Tensor = adapted(**least_input(trunk)).last_hidden_state
    return states


def _other(option: str) -> str:
    return "Try adapter=prompt." if option == "prefix" else "Try adapter=lora."
